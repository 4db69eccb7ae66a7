//! Objects: contents by their SHA-256, compressed, written once.
//!
//! `objects/ab/cdef….zst` is a zstd frame and, after it, a frame that decompressors skip: the SHA-256
//! of all bytes before. So a changed byte is found even where the contents would not change.
//! `objects/ab/cdef…` holds contents as they are, where they are compressed already.

use super::{Archive, ArchiveError};
use crate::domain::hex;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Head of the last frame: one that is skipped, of 32 bytes.
const SEAL_HEAD: [u8; 8] = [0x5e, 0x2a, 0x4d, 0x18, 32, 0, 0, 0];
const SEAL_BYTES: u64 = 40;

/// Bytes read at a time.
const STEP: usize = 1 << 18;

/// A file of more bytes is compressed in less time rather than to fewer bytes.
const LARGE_BYTES: u64 = 8 << 20;

/// How contents are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Compressed,
    AsIs,
}

impl Archive {
    /// Keeps bytes; gives their hash.
    pub(super) fn put(&self, bytes: &[u8]) -> Result<String, ArchiveError> {
        let sha256 = hex(&Sha256::digest(bytes));
        if self.object(&sha256).is_none() {
            self.store(&mut &*bytes, bytes.len() as u64, Form::Compressed, self.path())?;
        }
        Ok(sha256)
    }

    /// Keeps a file, a piece at a time; `expected` is the hash of what was read of it before. An
    /// object that is there is never written again.
    pub(super) fn put_file(
        &self,
        path: &Path,
        expected: Option<&str>,
    ) -> Result<String, ArchiveError> {
        self.put_in(path, expected, Form::Compressed)
    }

    /// [`Archive::put_file`] for a file that is compressed already.
    pub(super) fn put_as_is(&self, path: &Path, expected: &str) -> Result<String, ArchiveError> {
        self.put_in(path, Some(expected), Form::AsIs)
    }

    fn put_in(
        &self,
        path: &Path,
        expected: Option<&str>,
        form: Form,
    ) -> Result<String, ArchiveError> {
        if let Some(expected) = expected
            && self.object(expected).is_some()
        {
            return Ok(expected.to_owned());
        }
        let mut file = File::open(path).map_err(ArchiveError::io(path, "open"))?;
        let bytes = file.metadata().map_or(0, |of| of.len());
        let sha256 = self.store(&mut file, bytes, form, path)?;
        match expected {
            Some(expected) if expected != sha256 => {
                Err(ArchiveError::Changed { path: path.to_owned(), expected: expected.to_owned() })
            }
            _ => Ok(sha256),
        }
    }

    /// Writes beside, syncs, renames.
    fn store(
        &self,
        from: &mut dyn Read,
        bytes: u64,
        form: Form,
        source: &Path,
    ) -> Result<String, ArchiveError> {
        let objects = self.path().join(super::OBJECTS);
        fs::create_dir_all(&objects).map_err(ArchiveError::io(&objects, "make the folder"))?;
        let beside = super::new_file(&objects).map_err(ArchiveError::io(&objects, "write into"))?;
        let failed = ArchiveError::io(source, "archive");
        let sha256 = match form {
            Form::Compressed => compress(from, bytes, beside.as_file()),
            Form::AsIs => copy(from, &mut beside.as_file()),
        }
        .map_err(failed)?;
        let place = self.place(&sha256, form);
        if !place.exists() {
            beside.as_file().sync_all().map_err(ArchiveError::io(&place, "sync"))?;
            super::move_in(beside, &place)?;
        }
        Ok(sha256)
    }

    fn place(&self, sha256: &str, form: Form) -> PathBuf {
        let (folder, name) = sha256.split_at_checked(2).unwrap_or(("", sha256));
        let ending = if form == Form::Compressed { ".zst" } else { "" };
        self.path().join(super::OBJECTS).join(folder).join(format!("{name}{ending}"))
    }

    /// The file of an object, where it is there.
    pub(super) fn object(&self, sha256: &str) -> Option<PathBuf> {
        [Form::Compressed, Form::AsIs]
            .into_iter()
            .map(|form| self.place(sha256, form))
            .find(|path| path.is_file())
    }

    /// The contents of an object, checked; `what` says what it holds.
    ///
    /// # Errors
    /// [`ArchiveError::Missing`] and [`ArchiveError::Damaged`] name the object.
    pub fn get(&self, sha256: &str, what: &str) -> Result<Vec<u8>, ArchiveError> {
        let mut bytes = Vec::new();
        self.write_to(sha256, what, &mut bytes)?;
        Ok(bytes)
    }

    /// The contents of an object, checked, a piece at a time into `to`; after an error what was
    /// written is worthless.
    pub(super) fn write_to(
        &self,
        sha256: &str,
        what: &str,
        to: &mut dyn Write,
    ) -> Result<(), ArchiveError> {
        let path = self.object(sha256).ok_or_else(|| ArchiveError::Missing {
            path: self.place(sha256, Form::Compressed),
            what: what.to_owned(),
        })?;
        let found = read_out(&path, sha256, to).map_err(ArchiveError::io(&path, "read"))?;
        match found {
            None => Ok(()),
            Some(found) => Err(ArchiveError::Damaged { path, what: what.to_owned(), found }),
        }
    }
}

/// The hash an object's file must have, from its place; `None` for a file that is no object.
pub(super) fn named(path: &Path) -> Option<String> {
    let folder = path.parent()?.file_name()?.to_str()?;
    let name = path.file_name()?.to_str()?;
    let name = name.strip_suffix(".zst").unwrap_or(name);
    let sha256 = format!("{folder}{name}");
    super::is_hash(&sha256).then_some(sha256)
}

/// Reads an object's file into `to`; tells what is wrong with it, if anything is.
pub(super) fn read_out(
    path: &Path,
    sha256: &str,
    to: &mut dyn Write,
) -> io::Result<Option<String>> {
    let mut file = File::open(path)?;
    let found = if path.extension().is_some_and(|ending| ending == "zst") {
        let stored = file.metadata()?.len();
        let Some(sealed) = stored.checked_sub(SEAL_BYTES) else {
            return Ok(Some(format!("it has only {stored} bytes")));
        };
        let mut stored = Hashing { inner: (&mut file).take(sealed), hash: Sha256::new() };
        let contents = zstd::Decoder::new(&mut stored).and_then(|mut from| copy(&mut from, to));
        // The rest is hashed as well: a frame may end before the bytes do.
        io::copy(&mut stored, &mut io::sink())?;
        let seal = stored.hash.finalize();
        let mut last = Vec::new();
        file.read_to_end(&mut last)?;
        if last.strip_prefix(&SEAL_HEAD) != Some(&seal[..]) {
            return Ok(Some("its bytes are not those that were written".to_owned()));
        }
        match contents {
            Ok(found) => found,
            Err(error) => return Ok(Some(error.to_string())),
        }
    } else {
        copy(&mut file, to)?
    };
    Ok((found != sha256).then(|| format!("its contents hash to {found}")))
}

/// Copies and hashes.
fn copy(from: &mut dyn Read, to: &mut dyn Write) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; STEP];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(hex(&hash.finalize())),
            Ok(read) => {
                hash.update(&buffer[..read]);
                to.write_all(&buffer[..read])?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Compresses into a sealed file; gives the hash of the contents.
fn compress(from: &mut dyn Read, bytes: u64, to: &File) -> io::Result<String> {
    let level = if bytes > LARGE_BYTES { 1 } else { 3 };
    let stored = Hashing { inner: to, hash: Sha256::new() };
    let mut encoder = zstd::Encoder::new(stored, level)?;
    let sha256 = copy(from, &mut encoder)?;
    let stored = encoder.finish()?;
    let seal = stored.hash.finalize();
    let mut to = to;
    to.write_all(&SEAL_HEAD)?;
    to.write_all(&seal)?;
    Ok(sha256)
}

/// Hashes what goes through it.
struct Hashing<I> {
    inner: I,
    hash: Sha256,
}

impl<I: Write> Write for Hashing<I> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<I: Read> Read for Hashing<I> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.hash.update(&buffer[..read]);
        Ok(read)
    }
}
