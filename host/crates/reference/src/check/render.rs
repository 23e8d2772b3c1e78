//! A report for people, as a compiler would say it: what, where, who, why, and what to do.

use std::fmt::{self, Display, Formatter};

use super::report::{
    Action, Detail, Difference, Finding, Invocation, KernelReport, Place, Region, Report, Severity, Side,
};
use super::source::{LINE_CHARS, extent, line_at, printable};

/// Terminal colors. Whoever prints to something else strips them.
mod style {
    pub(super) const ERROR: &str = "\x1b[1;31m";
    pub(super) const WARNING: &str = "\x1b[1;33m";
    pub(super) const GOOD: &str = "\x1b[1;32m";
    pub(super) const MARGIN: &str = "\x1b[1;34m";
    pub(super) const BOLD: &str = "\x1b[1m";
    pub(super) const END: &str = "\x1b[0m";
}

impl Report {
    /// The report for people. With terminal colors if `has_color`.
    pub fn text(&self, has_color: bool) -> String {
        let paint = Paint { has_color };
        self.kernels.iter().map(|kernel| kernel.render(paint)).collect::<Vec<_>>().join("\n")
    }
}

impl KernelReport {
    fn render(&self, paint: Paint) -> String {
        let mut out = String::new();
        for finding in &self.findings {
            out.push_str(&self.finding(finding, paint));
            out.push('\n');
        }
        out.push_str(&self.summary(paint));
        out
    }

    fn finding(&self, finding: &Finding, paint: Paint) -> String {
        let kind = finding.detail.kind();
        let head = match finding.severity {
            Severity::Error => paint.with(style::ERROR, format_args!("error[{kind}]")),
            Severity::Warning => paint.with(style::WARNING, format_args!("warning[{kind}]")),
        };
        let mut out =
            format!("{head}{}\n", paint.with(style::BOLD, format_args!(": {}", self.headline(&finding.detail))));
        let labels = labels(&finding.detail);
        let width = labels.iter().map(|label| label.place.line.max(1).ilog10() as usize + 1).max().unwrap_or(1);
        let margin = Margin { width, paint };
        if let Some(first) = labels.first() {
            let Place { line, column, .. } = first.place;
            let arrow = paint.with(style::MARGIN, format_args!("{:width$}-->", ""));
            if *line > 0 {
                out.push_str(&format!("{arrow} {}:{line}:{column}\n", clean(&self.file)));
            } else {
                out.push_str(&format!("{arrow} {}\n", clean(&self.file)));
            }
        } else {
            let arrow = paint.with(style::MARGIN, format_args!("{:width$}-->", ""));
            out.push_str(&format!("{arrow} {}, `{}`\n", clean(&self.file), clean(&self.entry_point)));
        }
        self.snippet(&mut out, &labels, &margin, finding.severity);
        for (word, note) in self.notes(finding) {
            out.push_str(&margin.note(word, &note));
        }
        out
    }

    /// The lines of the text that matter, with what happens at each place.
    fn snippet(&self, out: &mut String, labels: &[Label<'_>], margin: &Margin, severity: Severity) {
        let mut known: Vec<&Label<'_>> = labels.iter().filter(|label| label.place.offset.is_some()).collect();
        if known.is_empty() {
            return;
        }
        known.sort_by_key(|label| label.place.offset);
        out.push_str(&margin.empty());
        let mut line_before = 0;
        for label in known {
            let Place { offset: Some(offset), line, .. } = label.place else { continue };
            let offset = *offset as usize;
            let (start, source) = line_at(&self.text, offset);
            let offset = self.text.floor_char_boundary(offset).clamp(start, start + source.len());
            // A line may be as long as the text: what is shown begins not far before the place.
            let lead = self.text[start..offset].chars().count();
            let cut = if lead > LINE_CHARS * 2 / 3 { lead - LINE_CHARS / 3 } else { 0 };
            if *line != line_before || cut > 0 {
                if line_before > 0 && *line > line_before + 1 {
                    out.push_str(&margin.gap());
                }
                let shown: String = source.chars().skip(cut).take(LINE_CHARS).map(printable).collect();
                out.push_str(&margin.line(*line, shown.trim_end()));
            }
            line_before = *line;
            let rest = &self.text[offset..start + source.len()];
            let length = rest[..extent(rest).min(rest.len())].chars().count().max(1).min(LINE_CHARS + cut - lead);
            let (mark, color) = match (label.is_primary, severity) {
                (true, Severity::Error) => ("^", style::ERROR),
                (true, Severity::Warning) => ("^", style::WARNING),
                (false, _) => ("-", style::MARGIN),
            };
            let marks = format!("{}{} {}", " ".repeat(lead - cut), mark.repeat(length), label.text);
            out.push_str(&margin.marks(&marks, color));
        }
        out.push_str(&margin.empty());
    }

    fn summary(&self, paint: Paint) -> String {
        let errors = self.findings.iter().filter(|finding| finding.severity == Severity::Error).count();
        let warnings = self.findings.len() - errors;
        let verdict = match (errors, warnings) {
            (0, 0) if self.is_stopped => paint.with(style::WARNING, format_args!("stopped, nothing found so far")),
            (0, 0) => paint.with(style::GOOD, format_args!("nothing found")),
            (0, _) => paint.with(style::WARNING, format_args!("{}", count(warnings as u64, "warning"))),
            (_, 0) => paint.with(style::ERROR, format_args!("{}", count(errors as u64, "error"))),
            _ => {
                let counts = (count(errors as u64, "error"), count(warnings as u64, "warning"));
                paint.with(style::ERROR, format_args!("{}, {}", counts.0, counts.1))
            }
        };
        let mut out = format!("{} `{}`: {verdict}\n", clean(&self.file), clean(&self.entry_point));
        let work = &self.work;
        let mut checked = format!(
            "{}, {}, {}",
            count(work.dispatches, "dispatch"),
            count(work.invocations, "invocation"),
            count(work.accesses, "access"),
        );
        if work.orders_compared > 0 {
            checked.push_str(&format!(", bytes compared in {}", count(work.orders_compared, "other order")));
        }
        field(&mut out, "checked", &checked);
        if let Some(budget) = &self.budget {
            let share = f64::from(budget.iterations) / f64::from(budget.limit.max(1)) * 100.0;
            let mut used = format!(
                "at most {} of {} iterations ({}), by {}",
                grouped(budget.iterations.into()),
                grouped(budget.limit.into()),
                percent(share),
                budget.invocation
            );
            if let Some(most) = budget.loops.first().filter(|most| most.place.line > 0) {
                let place = &most.place;
                let most = grouped(most.iterations.into());
                used.push_str(&format!("; {most} of them in the loop at {}:{}", place.line, place.column));
            }
            field(&mut out, "loops", &used);
        }
        if work.accesses_unchecked > 0 {
            let text = format!(
                "{} not checked for races: shadow memory ran out; check with smaller buffers",
                count(work.accesses_unchecked, "access")
            );
            field(&mut out, "unchecked", &text);
        }
        if self.findings_dropped > 0 {
            field(&mut out, "more", &format!("{} not shown", count(self.findings_dropped, "finding")));
        }
        if self.is_stopped {
            field(&mut out, "stopped", "before its end: what was not reached was not checked");
        }
        out
    }
}

fn field(out: &mut String, name: &str, value: &str) {
    out.push_str(&format!("  {name:<10} {value}\n"));
}

/// What happens at a place.
struct Label<'a> {
    place: &'a Place,
    text: String,
    is_primary: bool,
}

impl KernelReport {
    fn headline(&self, detail: &Detail) -> String {
        match detail {
            Detail::DataRace { region, .. } => {
                format!("two invocations access the same word of {}, and nothing orders them", self.memory(region))
            }
            Detail::AtomicOrder { region, .. } => {
                format!("what {} holds depends on which atomic write comes last", self.memory(region))
            }
            Detail::OutOfRange { index, length, .. } => {
                let length = match length {
                    1 => "1 element".to_owned(),
                    length => format!("{} elements", grouped(*length)),
                };
                format!("index {} is past the end of {length}", number(*index))
            }
            Detail::Uninitialized { .. } => "workgroup memory is read that no invocation has written".to_owned(),
            Detail::BudgetSpent { limit, .. } => {
                format!("an invocation spent its budget of {} loop iterations", grouped(u64::from(*limit)))
            }
            Detail::BarrierDivergence { .. } => "not all invocations of a workgroup reach this barrier".to_owned(),
            Detail::OrderDependent(Difference { region, .. }) => {
                format!("the bytes of {} depend on the order of invocations", self.memory(region))
            }
            Detail::EndDependent { .. } => {
                "whether the dispatch comes to its end depends on the order of invocations".to_owned()
            }
        }
    }
}

fn labels(detail: &Detail) -> Vec<Label<'_>> {
    let one = |place, text| vec![Label { place, text, is_primary: true }];
    match detail {
        Detail::DataRace { first, second, .. } | Detail::AtomicOrder { first, second, .. } => {
            if first.place == second.place {
                let text = match first.action == second.action {
                    true => {
                        format!("both {} and {} {} here", first.invocation, second.invocation, plural(first.action))
                    }
                    false => format!("{first}, and {second}"),
                };
                return one(&second.place, text);
            }
            let [(first, first_text), (second, second_text)] =
                [first, second].map(|side| (&side.place, side.to_string()));
            vec![
                Label { place: second, text: second_text, is_primary: true },
                Label { place: first, text: first_text, is_primary: false },
            ]
        }
        Detail::OutOfRange { place, index, length, invocation } => {
            let last = number(u32::try_from(length.saturating_sub(1)).unwrap_or(u32::MAX));
            one(place, format!("{invocation} has the index {}; the last is {last}", number(*index)))
        }
        Detail::Uninitialized { reader, .. } => one(&reader.place, reader.to_string()),
        Detail::BudgetSpent { place, invocation, .. } => {
            one(place, format!("{invocation} could not go on with this loop"))
        }
        Detail::BarrierDivergence { place, waits, other } => {
            one(place, format!("{waits} waits here, and {other} does not come"))
        }
        Detail::OrderDependent(_) | Detail::EndDependent { .. } => Vec::new(),
    }
}

impl KernelReport {
    /// What is said below the excerpt: a word, and what follows it.
    fn notes(&self, finding: &Finding) -> Vec<(&'static str, String)> {
        let mut notes = Vec::new();
        match &finding.detail {
            Detail::DataRace { region, first, second } | Detail::AtomicOrder { region, first, second } => {
                notes.push(("note", format!("it is {}", self.whole_word(region))));
                for side in [first, second] {
                    notes.push(("note", names(&side.invocation)));
                }
            }
            Detail::OutOfRange { invocation, .. }
            | Detail::BudgetSpent { invocation, .. }
            | Detail::BarrierDivergence { waits: invocation, .. } => notes.push(("note", names(invocation))),
            Detail::Uninitialized { region, reader } => {
                notes.push(("note", format!("it is {}", self.whole_word(region))));
                notes.push(("note", names(&reader.invocation)));
            }
            Detail::OrderDependent(difference) => {
                let Difference { region, in_order, in_other, order, .. } = difference;
                notes.push(("note", format!("first difference: {}", self.whole_word(region))));
                notes.push(("in order", value(*in_order)));
                notes.push(("other", format!("{}, with {order}", value(*in_other))));
            }
            Detail::EndDependent { order } => notes.push(("note", format!("it does not with {order}"))),
        }
        if finding.count > 1 && !matches!(finding.detail, Detail::OrderDependent(_) | Detail::EndDependent { .. }) {
            notes.push(("note", format!("seen {} times at this place; this is the first", grouped(finding.count))));
        }
        notes.push(("help", help(&finding.detail)));
        notes
    }
}

fn help(detail: &Detail) -> String {
    match detail {
        Detail::DataRace { region, first, second } => {
            if first.invocation.workgroup != second.invocation.workgroup {
                return "no barrier orders workgroups: let each write elements of its own, use atomics, or split the \
                        kernel into two dispatches"
                    .to_owned();
            }
            let barrier = match region {
                Region::Buffer { .. } => "storageBarrier()",
                Region::Workgroup { .. } => "workgroupBarrier()",
            };
            if first.place == second.place {
                return "let each invocation write elements of its own, or let only one of them write".to_owned();
            }
            format!("put a `{barrier};` between the two, where all invocations of the workgroup reach it")
        }
        Detail::AtomicOrder { .. } => {
            "let all write the same, let only one of them write, or use an operation whose order does not show, such as \
             `atomicMax`"
                .to_owned()
        }
        Detail::OutOfRange { .. } => {
            "the last element is accessed instead; if that is not meant, return before, or compare the index with \
             `arrayLength`"
                .to_owned()
        }
        Detail::Uninitialized { .. } => {
            "it reads as zero; if that is meant, write it so, and put a `workgroupBarrier();` between".to_owned()
        }
        Detail::BudgetSpent { .. } => {
            "let the loop end sooner, or give the job a larger `loop-iterations` limit".to_owned()
        }
        Detail::BarrierDivergence { .. } => "move the barrier to where all invocations reach it".to_owned(),
        Detail::OrderDependent(_) => {
            "correct the races and atomics reported above; if there are none, look for atomics whose old value is used"
                .to_owned()
        }
        Detail::EndDependent { .. } => "a loop waits for what another invocation does: no order is promised".to_owned(),
    }
}

impl KernelReport {
    /// What people call a memory.
    fn memory(&self, region: &Region) -> String {
        let Region::Buffer { group, binding, .. } = region else { return "workgroup memory".to_owned() };
        let known = self.bindings.iter().find(|known| (known.group, known.binding) == (*group, *binding));
        match known {
            Some(known) => format!("`{}`", clean(&known.name)),
            None => format!("`@group({group}) @binding({binding})`"),
        }
    }

    /// Which word it is, exactly.
    fn whole_word(&self, region: &Region) -> String {
        let (Region::Buffer { byte, .. } | Region::Workgroup { byte }) = region;
        let (words, last) = (grouped(u64::from(byte / 4)), u64::from(*byte) + 3);
        let place = match region {
            Region::Buffer { group, binding, .. } => format!("`@group({group}) @binding({binding})`, "),
            Region::Workgroup { .. } => String::new(),
        };
        format!("word {words} of {} ({place}bytes {byte} to {last})", self.memory(region))
    }
}

/// A word of unknown type.
fn value(bits: u32) -> String {
    format!("{bits:#010x} ({bits} as u32, {:?} as f32)", f32::from_bits(bits))
}

/// An index: the largest are likely meant as negative.
fn number(index: u32) -> String {
    if index >= 0xffff_0000 { format!("{index} ({})", index.cast_signed()) } else { grouped(u64::from(index)) }
}

/// An invocation by all its names.
fn names(invocation: &Invocation) -> String {
    let Invocation { workgroup, local, .. } = invocation;
    format!("{invocation} is local invocation {} of workgroup {}", ids(*local), ids(*workgroup))
}

fn ids([x, y, z]: [u32; 3]) -> String {
    format!("({x}, {y}, {z})")
}

impl Display for Invocation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "invocation {}", ids(self.global))
    }
}

impl Display for Side {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let verb = match self.action {
            Action::Reads => "reads",
            Action::Writes => "writes",
            Action::AtomicallyReads => "atomically reads",
            Action::AtomicallyWrites => "atomically writes",
            Action::AtomicallyUpdates => "atomically updates",
        };
        write!(f, "{} {verb} it here", self.invocation)
    }
}

fn plural(action: Action) -> &'static str {
    match action {
        Action::Reads => "read it",
        Action::Writes => "write it",
        Action::AtomicallyReads => "atomically read it",
        Action::AtomicallyWrites => "atomically write it",
        Action::AtomicallyUpdates => "atomically update it",
    }
}

/// `1 access`, `2 accesses`.
fn count(count: u64, noun: &str) -> String {
    let end = match (count, noun.ends_with('s') || noun.ends_with("ch")) {
        (1, _) => "",
        (_, true) => "es",
        (_, false) => "s",
    };
    format!("{} {noun}{end}", grouped(count))
}

/// A number with its digits in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn percent(share: f64) -> String {
    if share > 0.0 && share < 0.1 { "less than 0.1 %".to_owned() } else { format!("{share:.1} %") }
}

fn clean(text: &str) -> String {
    text.chars().map(printable).collect()
}

/// Colors, or none.
#[derive(Clone, Copy)]
struct Paint {
    has_color: bool,
}

impl Paint {
    fn with(self, style: &str, text: impl Display) -> String {
        if self.has_color { format!("{style}{text}{}", style::END) } else { text.to_string() }
    }
}

/// The left margin of an excerpt, wide enough for its line numbers.
struct Margin {
    width: usize,
    paint: Paint,
}

impl Margin {
    fn bar(&self, number: &str) -> String {
        let width = self.width;
        self.paint.with(style::MARGIN, format_args!("{number:>width$} |"))
    }

    fn empty(&self) -> String {
        format!("{}\n", self.bar(""))
    }

    fn gap(&self) -> String {
        format!("{}\n", self.paint.with(style::MARGIN, "..."))
    }

    fn line(&self, number: u32, source: &str) -> String {
        format!("{} {source}\n", self.bar(&number.to_string()))
    }

    fn marks(&self, marks: &str, color: &str) -> String {
        format!("{} {}\n", self.bar(""), self.paint.with(color, marks))
    }

    fn note(&self, word: &str, text: &str) -> String {
        let equals = self.paint.with(style::MARGIN, format_args!("{:width$} =", "", width = self.width));
        format!("{equals} {} {text}\n", self.paint.with(style::BOLD, format_args!("{word}:")))
    }
}
