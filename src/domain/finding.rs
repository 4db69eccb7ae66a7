//! Findings 核查问题: what is wrong with the data. Collected, never stops a run (DESIGN 8).

use super::Fen;

/// How much a finding matters; the order is the order of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// A row could not be read or paid.
    Error,
    /// A person should look.
    Warn,
    /// For the record.
    Note,
}

impl Severity {
    /// The word in outputs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Note => "note",
        }
    }
}

/// Where a finding was made: an input file and the record in it (header = record 0).
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Table, for instance `enrolments`.
    pub table: String,
    /// File name as the manifest has it; empty when no single file is meant.
    pub file: String,
    /// Record number, 1 = first data record; 0 when the whole file is meant.
    pub record: u64,
}

/// One finding. Repeats over many rows of one institution and rule are one finding with a count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was found.
    pub code: FindingCode,
    /// First place.
    pub place: Place,
    /// Institution as delivered, or empty.
    pub institution_id: String,
    /// Rule id (gate, guide price, column) the finding belongs to, or empty.
    pub rule: String,
    /// How many rows.
    pub count: u64,
    /// Money at stake in fen, when known.
    pub money: Option<Fen>,
    /// Values for the text of the finding, by name, in a fixed order. Never a child's name or number.
    pub values: Vec<(&'static str, String)>,
}

impl Finding {
    /// A finding of one row, the rest to be filled in.
    #[must_use]
    pub fn of(code: FindingCode) -> Self {
        Self {
            code,
            place: Place::default(),
            institution_id: String::new(),
            rule: String::new(),
            count: 1,
            money: None,
            values: Vec::new(),
        }
    }
}

macro_rules! codes {
    ($($variant:ident = $code:literal, $severity:ident, $doc:literal;)*) => {
        /// Public names of findings; never reused (DESIGN 8). Texts are in the catalogue.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum FindingCode { $(#[doc = $doc] $variant,)* }
        impl FindingCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
            /// The public name.
            #[must_use]
            pub const fn name(self) -> &'static str { match self { $(Self::$variant => $code,)* } }
            /// The code of that public name.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|code| code.name() == name)
            }
            /// How much it matters.
            #[must_use]
            pub const fn severity(self) -> Severity { match self { $(Self::$variant => Severity::$severity,)* } }
        }
    };
}

codes! {
    // Intake: a value or row that cannot be typed.
    ValueUnreadable = "value_unreadable", Error, "A value does not have the type of its column; the row is refused.";
    ValueMissing = "value_missing", Error, "A column that must not be empty is empty; the row is refused.";
    ValueNotListed = "value_not_listed", Error, "A value is not one of the listed values of its column; the row is refused.";
    AmountTooFine = "amount_too_fine", Error, "An amount has more than two decimals; the row is refused.";
    AmountTooLarge = "amount_too_large", Error, "An amount is beyond 10^12 fen; the row is refused.";
    NumberThroughFloat = "number_through_float", Error, "An account or identity number went through a floating-point cell and lost digits.";
    RecordShape = "record_shape", Error, "A record has more or fewer fields than the header; the row is refused.";
    EncodingBroken = "encoding_broken", Error, "A file is neither UTF-8 nor GB18030.";
    ColumnUnknown = "column_unknown", Warn, "A column nobody asked for.";
    ColumnMissing = "column_missing", Error, "A declared column is not in the file.";
    ValueNormalised = "value_normalised", Note, "A value was read after an unambiguous repair (full-width digits, spaces, lower-case check letter).";
    InputAbsent = "input_absent", Warn, "A table the law reads was not delivered.";
    InputStale = "input_stale", Warn, "A table was delivered for an earlier month only.";
    // Facts: identity, shape, duplicates.
    UsccInvalid = "uscc_invalid", Warn, "统一社会信用代码 fails GB 32100.";
    ChildIdInvalid = "child_id_invalid", Warn, "A resident identity number fails GB 11643.";
    BirthDateDiffers = "birth_date_differs", Warn, "The date of birth differs from the identity number's.";
    BankNoInvalid = "bank_no_invalid", Warn, "联行号 fails its check digit.";
    AccountInvalid = "account_invalid", Warn, "A 62… card number fails Luhn.";
    InstitutionUnknown = "institution_unknown", Warn, "A row names an institution that is not in the register.";
    InstitutionListedTwice = "institution_listed_twice", Warn, "One institution on several rows, equal in all columns the law reads.";
    InstitutionContradicts = "institution_contradicts", Error, "One institution on several rows that contradict each other; all are refused.";
    SpanInvalid = "span_invalid", Warn, "A span ends before it starts.";
    DuplicateWithin = "duplicate_within", Warn, "One child listed twice at one institution with overlapping spans.";
    DuplicateAcross = "duplicate_across", Warn, "One child listed at two institutions with overlapping spans.";
    AttendanceMissing = "attendance_missing", Warn, "No attendance for an enrolled child.";
    AttendanceOrphan = "attendance_orphan", Note, "Attendance for a child that is not enrolled there.";
    AttendanceTwice = "attendance_twice", Warn, "Several monthly attendance figures for one child and institution.";
    RowsOverlap = "rows_overlap", Warn, "Several rows of a table that gives one row a key are in force at once; the one that starts last counts.";
    RowsListedTwice = "rows_listed_twice", Warn, "Several rows of a table have the key that names one row.";
    AttendanceOverOpenDays = "attendance_over_open_days", Warn, "More days attended than the institution was open.";
    SlotsOverFiled = "slots_over_filed", Warn, "More slots open than filed.";
    EnrolledOverCapacity = "enrolled_over_capacity", Warn, "More children than effective places.";
    StaffingShort = "staffing_short", Warn, "Fewer caregivers than the ratio asks for.";
    ClassOverSize = "class_over_size", Warn, "A class has more places than its age class allows.";
    PrepaidTooLong = "prepaid_too_long", Warn, "Fees were collected more than three months ahead.";
    SanctionInForce = "sanction_in_force", Warn, "A sanction is in force on the institution or person.";
    ConditionUnmet = "condition_unmet", Warn, "A condition of the law that only warns, with a reason of the pack's own, does not hold.";
    // Price.
    FeeAboveCeiling = "fee_above_ceiling", Warn, "A fee is above the guide price ceiling.";
    FeeBelowFloor = "fee_below_floor", Warn, "A fee is below the guide price floor.";
    FeeMissing = "fee_missing", Warn, "A fee the guide price needs is missing.";
    // Money.
    PaymentHeld = "payment_held", Warn, "A payment is held; the reason is beside it.";
    BudgetShort = "budget_short", Warn, "The budget does not cover the claims.";
    CapBinding = "cap_binding", Note, "A cap cut an amount.";
    ChangeLarge = "change_large", Warn, "An institution changed by more than the job's threshold.";
    // Closed months.
    MonthCorrected = "month_corrected", Note, "A closed month is corrected in this period.";
    MonthNotClosed = "month_not_closed", Warn, "Something became known about a month that is paid and not closed yet; it is not corrected now.";
    ClosedNotExamined = "closed_not_examined", Warn, "Closed months could not be looked at: the archive does not hold them.";
    WrittenOff = "written_off", Note, "What an institution owes is given up in this period.";
    NothingToWriteOff = "nothing_to_write_off", Warn, "A write-off finds nothing that is owed and left.";
    LateBeforeOpening = "late_before_opening", Warn, "A late delivery is for months before the books were opened; those are not corrected.";
    CalendarProvisional = "calendar_provisional", Warn, "The calendar of a year is not published; weekdays were assumed as the job allows.";
}
