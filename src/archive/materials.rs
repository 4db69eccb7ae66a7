//! The files of an archived run, unpacked when they are asked for and removed at the end.

use super::recipe::{KEY_WORDS, input_words};
use super::{Archive, ArchiveError, KeptFile, Recipe};
use crate::job::{self, Job, Places, TableSpec};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Component, Path, PathBuf};
use tempfile::TempDir;

/// An archived run and a folder for its files; the folder goes with it.
#[derive(Debug)]
pub struct Materials {
    archive: Archive,
    recipe: Recipe,
    folder: TempDir,
    /// Held as long as the folder is in use.
    _lock: fs::File,
}

const PREFIX: &str = ".materials-";
const LOCK: &str = "in-use";

/// A file to unpack: where to, what of, what it is.
struct Unpacked<'r> {
    path: PathBuf,
    file: &'r KeptFile,
    what: String,
}

impl Materials {
    /// The materials of a recipe; the folder is made inside `beside`, nothing is unpacked yet.
    ///
    /// # Errors
    /// When the folder cannot be made, or the recipe names what is no file name.
    pub fn new(archive: &Archive, recipe: Recipe, beside: &Path) -> Result<Self, ArchiveError> {
        fs::create_dir_all(beside).map_err(ArchiveError::io(beside, "make the folder"))?;
        let folder = tempfile::Builder::new()
            .prefix(PREFIX)
            .tempdir_in(beside)
            .map_err(ArchiveError::io(beside, "write into"))?;
        let path = folder.path().join(LOCK);
        let lock = fs::File::create(&path).map_err(ArchiveError::io(&path, "write"))?;
        lock.lock().map_err(ArchiveError::io(&path, "lock"))?;
        sweep(beside);
        let made = Self { archive: archive.clone(), recipe, folder, _lock: lock };
        made.check_names()?;
        Ok(made)
    }

    /// The archive they are from.
    #[must_use]
    pub const fn archive(&self) -> &Archive {
        &self.archive
    }

    /// The recipe.
    #[must_use]
    pub const fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// The folder everything is unpacked in, as long as this lives.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Base deliveries of the run, each file unpacked.
    ///
    /// # Errors
    /// What is missing or damaged, with the file and table it was.
    pub fn tables(&self) -> Result<Vec<TableSpec>, ArchiveError> {
        self.unpack(self.table_files())?;
        Ok(self.plan(Vec::new())?.tables)
    }

    /// Late deliveries the run could see, each file unpacked.
    ///
    /// # Errors
    /// As [`Materials::tables`].
    pub fn late(&self) -> Result<Vec<TableSpec>, ArchiveError> {
        let late = self.planned_late()?;
        self.unpack(self.late_files(&late))?;
        Ok(late)
    }

    fn planned_late(&self) -> Result<Vec<TableSpec>, ArchiveError> {
        let mut late = Vec::with_capacity(self.recipe.late.len());
        for (at, of) in self.recipe.late.iter().enumerate() {
            let folder = format!("late/{at:04}");
            let paths = of.files.iter().enumerate();
            let paths = paths.map(|(at, file)| self.file(&folder, at, file)).collect();
            late.push(TableSpec::restore(&of.spec, paths).map_err(|source| self.wrong(source))?);
        }
        Ok(late)
    }

    fn late_files(&self, late: &[TableSpec]) -> Vec<Unpacked<'_>> {
        let files = self.recipe.late.iter().zip(late).flat_map(|(of, spec)| {
            of.files.iter().zip(&spec.paths).map(|(file, path)| Unpacked {
                path: path.clone(),
                file,
                what: input_words(&spec.table, &file.name),
            })
        });
        files.collect()
    }

    /// Base and late deliveries with the places their files will have; nothing is unpacked.
    ///
    /// # Errors
    /// When the recipe is no job.
    pub fn planned(&self) -> Result<[Vec<TableSpec>; 2], ArchiveError> {
        let mut specs = [self.plan(Vec::new())?.tables, self.planned_late()?];
        // What was not there to keep is no delivery of this run, whenever it was received.
        let hashes = self.hashes()?;
        for spec in specs.iter_mut().flatten() {
            spec.paths.retain(|path| hashes.get(path).is_some_and(Option::is_some));
        }
        Ok(specs)
    }

    /// Hash of each file of the deliveries by the place it will have; `None` for one that was not
    /// read.
    ///
    /// # Errors
    /// As [`Materials::planned`].
    pub fn hashes(&self) -> Result<BTreeMap<PathBuf, Option<String>>, ArchiveError> {
        let late = self.planned_late()?;
        let files = self.table_files().into_iter().chain(self.late_files(&late));
        Ok(files.map(|of| (of.path, of.file.sha256.clone())).collect())
    }

    /// Unpacks those files of some deliveries that are of this run.
    ///
    /// # Errors
    /// What is missing or damaged, with the file and table it was.
    pub fn unpack_of(&self, specs: &[TableSpec]) -> Result<(), ArchiveError> {
        let late = self.planned_late()?;
        let files = self.table_files().into_iter().chain(self.late_files(&late));
        let wanted = |of: &Unpacked<'_>| specs.iter().any(|spec| spec.paths.contains(&of.path));
        self.unpack(files.filter(wanted).collect())
    }

    /// The job of the run over unpacked files: the same bytes in, so the same bytes out (S29).
    ///
    /// # Errors
    /// As [`Materials::tables`], for every file of the recipe.
    pub fn job(&self) -> Result<Job, ArchiveError> {
        self.unpack(self.table_files())?;
        let mut papers = Vec::new();
        let pack_folders = self.packs();
        for (pack, folder) in self.recipe.packs.iter().zip(&pack_folders) {
            papers.extend(pack.files.iter().map(|file| Unpacked {
                path: folder.join(&file.name),
                file,
                what: format!("file {} of pack {}", file.name, pack.name),
            }));
        }
        for (file, path) in self.recipe.overlays.iter().zip(self.overlays()) {
            papers.push(Unpacked { path, file, what: format!("overlay {}", file.name) });
        }
        papers.extend(self.recipe.reference.iter().map(|file| Unpacked {
            path: self.reference().join(&file.name),
            file,
            what: format!("reference file {}", file.name),
        }));
        let key = &self.recipe.key;
        papers.push(Unpacked { path: self.key(), file: key, what: KEY_WORDS.to_owned() });
        self.unpack(papers)?;
        self.plan(self.late()?)
    }

    /// The job with the places of its files, unpacked or not.
    fn plan(&self, late: Vec<TableSpec>) -> Result<Job, ArchiveError> {
        let recipe = &self.recipe;
        let files = recipe.tables.iter().map(|table| {
            let folder = format!("tables/{}", table.table);
            let paths = table.files.iter().enumerate();
            let paths = paths.map(|(at, file)| self.file(&folder, at, file)).collect();
            (table.table.clone(), paths)
        });
        let optional = recipe.tables.iter().filter(|table| table.optional);
        let places = Places {
            packs: self.packs(),
            overlays: self.overlays(),
            reference: self.reference(),
            files: files.collect(),
            optional: optional.map(|table| table.table.clone()).collect(),
            late,
            key_file: self.key(),
            out: self.folder.path().join("run"),
        };
        job::restore(&recipe.job, places).map_err(|source| self.wrong(source))
    }

    fn wrong(&self, source: job::RestoreError) -> ArchiveError {
        ArchiveError::Restore { run_id: self.recipe.run_id.clone(), source }
    }

    /// A file in a folder of its own: two files of one name keep their order.
    fn file(&self, folder: &str, at: usize, file: &KeptFile) -> PathBuf {
        self.folder.path().join(folder).join(format!("{at:06}")).join(&file.name)
    }

    fn packs(&self) -> Vec<PathBuf> {
        let place = |(at, name): (usize, &String)| {
            self.folder.path().join(format!("packs/{at:04}")).join(name)
        };
        self.recipe.packs.iter().map(|pack| &pack.name).enumerate().map(place).collect()
    }

    fn overlays(&self) -> Vec<PathBuf> {
        let overlays = self.recipe.overlays.iter().enumerate();
        overlays.map(|(at, file)| self.file("overlays", at, file)).collect()
    }

    fn reference(&self) -> PathBuf {
        self.folder.path().join("reference")
    }

    fn key(&self) -> PathBuf {
        self.folder.path().join("key").join(&self.recipe.key.name)
    }

    fn table_files(&self) -> Vec<Unpacked<'_>> {
        let tables = self.recipe.tables.iter();
        tables
            .flat_map(|table| {
                let folder = format!("tables/{}", table.table);
                table.files.iter().enumerate().map(move |(at, file)| Unpacked {
                    path: self.file(&folder, at, file),
                    file,
                    what: input_words(&table.table, &file.name),
                })
            })
            .collect()
    }

    /// Unpacks what is not unpacked yet.
    fn unpack(&self, files: Vec<Unpacked<'_>>) -> Result<(), ArchiveError> {
        let unpack = |of: Unpacked<'_>| -> Result<(), ArchiveError> {
            let Some(sha256) = of.file.sha256.as_deref().filter(|_| !of.path.exists()) else {
                return Ok(());
            };
            let folder = of.path.parent().unwrap_or(self.folder.path());
            fs::create_dir_all(folder).map_err(ArchiveError::io(folder, "make the folder"))?;
            let file = fs::File::create(&of.path).map_err(ArchiveError::io(&of.path, "write"))?;
            let mut file = std::io::BufWriter::with_capacity(1 << 18, file);
            self.archive.write_to(sha256, &of.what, &mut file)?;
            file.flush().map_err(ArchiveError::io(&of.path, "write"))
        };
        let done: Vec<Result<(), ArchiveError>> = files.into_par_iter().map(unpack).collect();
        done.into_iter().collect()
    }

    /// Names lead into the folder and nowhere else, whoever wrote the recipe.
    fn check_names(&self) -> Result<(), ArchiveError> {
        let recipe = &self.recipe;
        let tables = recipe.tables.iter();
        let files = tables.clone().flat_map(|table| table.files.iter().map(|file| &file.name));
        let late = recipe.late.iter().flat_map(|late| late.files.iter().map(|file| &file.name));
        let packs = recipe.packs.iter();
        let names = files
            .chain(late)
            .chain(tables.map(|table| &table.table))
            .chain(packs.clone().map(|pack| &pack.name))
            .chain(packs.flat_map(|pack| pack.files.iter().map(|file| &file.name)))
            .chain(recipe.overlays.iter().map(|file| &file.name))
            .chain(recipe.reference.iter().map(|file| &file.name))
            .chain([&recipe.key.name]);
        for name in names {
            let inside = |part: Component<'_>| matches!(part, Component::Normal(_));
            if name.is_empty() || !Path::new(name).components().all(inside) {
                return Err(ArchiveError::Damaged {
                    path: self.archive.path().to_owned(),
                    what: format!("{} of run {}", super::RECIPE_WORDS, recipe.run_id),
                    found: format!("{name:?} is no file name"),
                });
            }
        }
        Ok(())
    }
}

/// Removes what a run that was killed left unpacked: deliveries hold names and numbers of children. A
/// folder in use is locked. What cannot be removed is left for the next.
fn sweep(beside: &Path) {
    for entry in fs::read_dir(beside).into_iter().flatten().flatten() {
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        let free =
            fs::File::open(entry.path().join(LOCK)).is_ok_and(|lock| lock.try_lock().is_ok());
        if free {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
