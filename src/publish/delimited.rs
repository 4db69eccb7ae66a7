//! Sheets as CSV: UTF-8 without a mark, `\n`, quotes only where a field needs them.

use std::io::Write;

use super::sheet::Sheet;

/// Writes the header line and all rows.
///
/// # Errors
/// When `to` cannot be written.
pub fn write(sheet: &Sheet, to: impl Write) -> Result<(), csv::Error> {
    let mut writer = writer(to);
    writer.write_record(sheet.columns.iter().map(|column| column.name.as_bytes()))?;
    rows(sheet, &mut writer)?;
    writer.flush()?;
    Ok(())
}

/// The rows alone as bytes, for files written in pieces.
///
/// # Errors
/// Never for memory; the signature follows the crate's.
pub(super) fn body(sheet: &Sheet) -> Result<Vec<u8>, csv::Error> {
    let mut bytes = Vec::with_capacity(sheet.rows * sheet.columns.len() * 8);
    let mut writer = writer(&mut bytes);
    rows(sheet, &mut writer)?;
    writer.flush()?;
    drop(writer);
    Ok(bytes)
}

fn writer<W: Write>(to: W) -> csv::Writer<W> {
    csv::WriterBuilder::new()
        .has_headers(false)
        .terminator(csv::Terminator::Any(b'\n'))
        .buffer_capacity(1 << 16)
        .from_writer(to)
}

fn rows<W: Write>(sheet: &Sheet, writer: &mut csv::Writer<W>) -> Result<(), csv::Error> {
    let mut cell = String::new();
    for row in 0..sheet.rows {
        for column in &sheet.columns {
            cell.clear();
            column.values.text(row, &mut cell);
            writer.write_field(cell.as_bytes())?;
        }
        writer.write_record(None::<&[u8]>)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::sheet::Values;
    use super::*;

    #[test]
    fn quotes_stand_only_where_needed() {
        let mut sheet = Sheet::new("t", 3);
        let texts = ["a,b", "say \"hi\"", "two\nlines"].map(str::to_owned).to_vec();
        sheet.put("text", "", Values::Text(texts));
        sheet.put("name", "", Values::Text(["东湖托育", "", " x"].map(str::to_owned).to_vec()));
        sheet.put("fen", "", Values::MaybeFen(vec![Some(-5), None, Some(0)]));
        let mut bytes = Vec::new();
        write(&sheet, &mut bytes).unwrap();
        let want =
            "text,name,fen\n\"a,b\",东湖托育,-5\n\"say \"\"hi\"\"\",,\n\"two\nlines\", x,0\n";
        assert_eq!(String::from_utf8(bytes).unwrap(), want);
    }
}
