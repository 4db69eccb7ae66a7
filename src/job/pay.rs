//! `[pay]`: who pays, and in which files the payments of a release go out (`docs/pay.md`).

use super::JobError;
use super::toml_walk::Section;
use crate::domain::check_cnaps;
use serde::{Deserialize, Serialize};
use toml::Spanned;
use toml::de::DeValue;

/// The section with every default resolved. It enters the run id, and `pay.json` as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pay {
    /// Files that are written: [`PAIN001`], [`VOUCHER_8207`], names of batch profiles.
    pub files: Vec<String>,
    /// Holder of the account that pays, at most 140 characters.
    pub account_name: String,
    /// The account, at most 34 letters and digits.
    pub account_no: String,
    /// Its bank.
    pub bank_name: String,
    /// The bank's 联行号, its check digit right.
    pub bank_no: String,
    /// 预算单位编码, or empty.
    pub agency_code: String,
    /// 预算单位名称, or empty.
    pub agency_name: String,
    /// 区划编码, or empty.
    pub division_code: String,
    /// 代理银行编码, or empty.
    pub pay_bank_code: String,
    /// 支付方式编码: 11 直接支付, 12 授权支付, 91 实拨.
    pub pay_type_code: String,
    /// 主凭证类型编号.
    pub original_vt_code: String,
    /// 业务类型编码, or empty.
    pub business_type_code: String,
    /// 附言.
    pub purpose: String,
}

/// The word for ISO 20022 `pain.001.001.09`.
pub const PAIN001: &str = "pain001";

/// The word for 8207 批量业务支付明细.
pub const VOUCHER_8207: &str = "8207";

impl Pay {
    /// The names of the batch profiles, in order.
    pub fn profiles(&self) -> impl Iterator<Item = &str> {
        let own = |name: &&str| ![PAIN001, VOUCHER_8207].contains(name);
        self.files.iter().map(String::as_str).filter(own)
    }

    /// Whether a file is written.
    #[must_use]
    pub fn writes(&self, file: &str) -> bool {
        self.files.iter().any(|known| known == file)
    }
}

/// What a way of payment is documented by: a direct payment by 5201, an appropriation 实拨 by 5207.
/// A treasury refuses an 8207 whose two codes do not belong together.
const MAIN_VOUCHERS: [(&str, &str); 2] = [("11", "5201"), ("91", "5207")];

pub(super) const KEYS: [&str; 13] = [
    "files",
    "account_name",
    "account_no",
    "bank_name",
    "bank_no",
    "agency_code",
    "agency_name",
    "division_code",
    "pay_bank_code",
    "pay_type_code",
    "original_vt_code",
    "business_type_code",
    "purpose",
];

/// Longest account name and account that `pain.001` takes, in characters.
const LONGEST_NAME: usize = 140;
const LONGEST_ACCOUNT: usize = 34;

/// Reads the table; `title` is the job's.
pub(super) fn read(top: &Section<'_>, title: &str) -> Result<Option<Pay>, JobError> {
    let Some(value) = top.get("pay") else { return Ok(None) };
    let DeValue::Table(table) = value.get_ref() else {
        return Err(top.text.wrong(value.span(), "pay is no table; expected [pay]"));
    };
    let section = Section::new(top.text, "pay", table, &KEYS)?;
    let wrong = |key: &str, message: String| {
        let span = section.get(key).map_or_else(|| value.span(), Spanned::span);
        section.text.wrong(span, format!("pay.{key}{message}"))
    };
    let text = |key: &str| -> Result<String, JobError> {
        let text = section.string(key)?.unwrap_or_default();
        if text.chars().any(char::is_control) {
            return Err(wrong(key, format!(" is {text:?}; expected a text without line ends")));
        }
        Ok(text.trim().to_owned())
    };
    let files = files(&section)?;
    let code = |key: &str, default: &str| -> Result<String, JobError> {
        let text = text(key)?;
        Ok(if text.is_empty() { default.to_owned() } else { text })
    };
    let pay_type_code = code("pay_type_code", "91")?;
    if !["11", "12", "91"].contains(&&*pay_type_code) {
        let expected = "11 直接支付, 12 授权支付 or 91 实拨";
        return Err(wrong("pay_type_code", format!(" is {pay_type_code:?}; expected {expected}")));
    }
    let usual = MAIN_VOUCHERS.iter().find(|(way, _)| *way == pay_type_code);
    let original_vt_code = code("original_vt_code", usual.map_or("", |(_, voucher)| voucher))?;
    let of = MAIN_VOUCHERS.iter().find(|(_, voucher)| *voucher == original_vt_code);
    if let Some((way, _)) = of.filter(|(way, _)| *way != pay_type_code) {
        let expected = format!("pay.pay_type_code = \"{way}\"");
        let found = format!(" is {original_vt_code} with pay_type_code {pay_type_code}");
        return Err(wrong("original_vt_code", format!("{found}; expected {expected}")));
    }
    let pay = Pay {
        account_name: text("account_name")?,
        account_no: text("account_no")?,
        bank_name: text("bank_name")?,
        bank_no: text("bank_no")?,
        agency_code: text("agency_code")?,
        agency_name: text("agency_name")?,
        division_code: text("division_code")?,
        pay_bank_code: text("pay_bank_code")?,
        pay_type_code,
        original_vt_code,
        business_type_code: text("business_type_code")?,
        purpose: code("purpose", title)?,
        files,
    };
    let mut needed: Vec<(&str, &String)> = vec![
        ("account_name", &pay.account_name),
        ("account_no", &pay.account_no),
        ("bank_name", &pay.bank_name),
        ("bank_no", &pay.bank_no),
    ];
    if pay.writes(VOUCHER_8207) {
        needed.extend([
            ("agency_code", &pay.agency_code),
            ("agency_name", &pay.agency_name),
            ("division_code", &pay.division_code),
            ("original_vt_code", &pay.original_vt_code),
        ]);
    }
    if let Some((key, _)) = needed.iter().find(|(_, text)| text.is_empty()) {
        return Err(wrong(key, " is missing; expected a text of the account that pays".to_owned()));
    }
    let legal = pay.account_no.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !legal || pay.account_no.len() > LONGEST_ACCOUNT {
        let expected = format!("1 to {LONGEST_ACCOUNT} letters and digits");
        return Err(wrong("account_no", format!(" is {:?}; expected {expected}", pay.account_no)));
    }
    for (key, name) in [("account_name", &pay.account_name), ("agency_name", &pay.agency_name)] {
        let length = name.chars().count();
        if length > LONGEST_NAME {
            let message = format!(" has {length} characters; expected at most {LONGEST_NAME}");
            return Err(wrong(key, message));
        }
    }
    if let Err(error) = check_cnaps(&pay.bank_no) {
        return Err(wrong("bank_no", format!(" is {:?}: {error}; expected a 联行号", pay.bank_no)));
    }
    Ok(Some(pay))
}

/// Which files; a name of a profile is a file name and no way to another folder.
fn files(section: &Section<'_>) -> Result<Vec<String>, JobError> {
    let legal = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let mut files: Vec<String> = Vec::new();
    let expected =
        "\"pain001\", \"8207\" or the name of a batch profile of the reference folder, each once";
    for word in section.strings("files")?.unwrap_or_default() {
        let name = word.get_ref();
        if name.is_empty() || !name.chars().all(legal) || files.contains(name) {
            let message = format!("pay.files: {name:?}; expected {expected}");
            return Err(section.text.wrong(word.span(), message));
        }
        files.push(word.into_inner());
    }
    if files.is_empty() {
        let span = section.get("files").map_or(0..0, Spanned::span);
        return Err(section.text.wrong(span, format!("pay.files is empty; expected {expected}")));
    }
    Ok(files)
}
