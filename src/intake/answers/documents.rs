//! The messages of an XML file: documents one after another, in any envelope, under any prefix.

use super::xml::{Broken, Next, Taken, Walk, element};
use super::{EXPECTED, Gathered, report, shown, statement, voucher};
use crate::domain::AnswerKind;

/// What the messages that are no answers are, by the element they stand in.
const OTHERS: &[(&str, &str)] = &[
    ("CstmrCdtTrfInitn", "pain.001, what is sent to a bank"),
    ("CstmrDrctDbtInitn", "pain.008, a collection"),
    ("FIToFIPmtStsRpt", "pacs.002, a status between banks"),
    ("FIToFICstmrCdtTrf", "pacs.008, a transfer between banks"),
    ("PmtRtr", "pacs.004, a return between banks"),
    ("CstmrPmtCxlReq", "camt.055, a request to cancel"),
    ("RsltnOfInvstgtn", "camt.029, the result of an inquiry"),
    ("RmtAdvc", "remt.001, a remittance advice"),
];

/// Reads every message of an XML text.
pub(super) fn read(text: &str, gathered: &mut Gathered) {
    let mut walk = Walk::new(text);
    let mut whole = Whole::of(gathered);
    if let Err(Broken(what)) = documents(&mut walk, gathered, &mut whole) {
        // Half a statement is never believed; the messages before it are whole.
        gathered.messages.truncate(whole.messages);
        gathered.unread.truncate(whole.unread);
        gathered.record = whole.record;
        let before = whole.messages;
        gathered.tell(
            0,
            format!(
                "{what}; the message there is unread as a whole, as is all behind it ({before} \
                 before it are read); expected well-formed XML; hint: ask for the file again"
            ),
        );
    }
}

/// What had been gathered when the last message was whole.
struct Whole {
    messages: usize,
    unread: usize,
    record: u32,
}

impl Whole {
    const fn of(gathered: &Gathered) -> Self {
        Self {
            messages: gathered.messages.len(),
            unread: gathered.unread.len(),
            record: gathered.record,
        }
    }
}

fn documents(walk: &mut Walk<'_>, gathered: &mut Gathered, whole: &mut Whole) -> Taken {
    // Open elements that are no message: the namespace of each `Document` that has no child so far.
    let mut open: Vec<Option<String>> = Vec::new();
    let mut root = String::new();
    let mut found = false;
    loop {
        let start = match walk.next()? {
            Next::Open(start) => start,
            Next::Close => {
                if let Some(Some(namespace)) = open.pop() {
                    gathered.tell(0, foreign(&namespace, ""));
                }
                *whole = Whole::of(gathered);
                continue;
            }
            Next::End => break,
        };
        let element = element(&start);
        let name = element.name();
        let namespace = open.last_mut().and_then(Option::take);
        if message(walk, &element, name, gathered)? {
            found = true;
            *whole = Whole::of(gathered);
        } else if let Some(namespace) = namespace {
            gathered.tell(0, foreign(&namespace, name));
            walk.skip()?;
        } else if name == "Document" {
            open.push(Some(element.namespace()));
        } else {
            if root.is_empty() {
                name.clone_into(&mut root);
            }
            open.push(None);
        }
    }
    if !found && gathered.unread.is_empty() {
        gathered.tell(0, foreign("", &root));
    }
    Ok(())
}

/// Reads a message where the element is one.
fn message(
    walk: &mut Walk<'_>,
    element: &super::xml::Element<'_, '_>,
    name: &str,
    gathered: &mut Gathered,
) -> Result<bool, Broken> {
    // The first versions of some messages carry it in the name.
    let plain = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let plain = plain.strip_suffix('V').unwrap_or(plain);
    match plain {
        "CstmrPmtStsRpt" => report::read(walk, gathered)?,
        "BkToCstmrStmt" => statement::read(walk, AnswerKind::Camt053, gathered)?,
        "BkToCstmrAcctRpt" => statement::read(walk, AnswerKind::Camt052, gathered)?,
        "BkToCstmrDbtCdtNtfctn" => statement::read(walk, AnswerKind::Camt054, gathered)?,
        _ if name.starts_with("pain.002.001.") => report::read(walk, gathered)?,
        _ if name.eq_ignore_ascii_case("VoucherBody") => voucher::body(walk, element, gathered)?,
        _ if name.eq_ignore_ascii_case("Voucher") => voucher::bare(walk, element, gathered)?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// What a message that is no answer is.
fn foreign(namespace: &str, name: &str) -> String {
    let last = namespace.rsplit([':', '/']).next().unwrap_or_default();
    let known = OTHERS.iter().find(|(element, _)| *element == name);
    let found = match known {
        Some((_, what)) => format!("{what} ({name})"),
        None if last.is_empty() => format!("XML of <{}>", shown(name)),
        None => format!("{} ({})", shown(last), shown(name)),
    };
    format!("{found}, which is no answer; {EXPECTED}")
}
