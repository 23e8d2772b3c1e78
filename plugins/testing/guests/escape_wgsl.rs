//! Makes kernels of every text in `kernels/refused.txt`. Each is refused as the file says. Outcome: ok.
//!
//! A text begins after a line `--- WHAT [LINE]`, where WHAT is the error, LINE the line that it must name.

use samebit_plugin_testing::bindings::samebit::job::gpu::{Kernel, KernelDescriptor, KernelError};

samebit_plugin_testing::guest!(run);

const REFUSED: &str = include_str!("../kernels/refused.txt");
/// The file must not become empty unnoticed.
const TEXTS_MIN: usize = 55;

fn run(_args: Vec<String>) -> Result<(), String> {
    let mut wrong = Vec::new();
    let mut count = 0;
    for case in REFUSED.split("--- ").skip(1) {
        let (expected, text) = case.split_once('\n').ok_or("a text is needed")?;
        let found = describe(text);
        let agrees = found == expected || found.rsplit_once(' ').is_some_and(|(what, _)| what == expected);
        if !agrees {
            wrong.push(format!("expected {expected}, found {found}: {text}"));
        }
        count += 1;
    }
    for (what, text, expected) in made() {
        let found = describe(&text);
        if found != expected {
            wrong.push(format!("expected {expected}, found {found}: {what}"));
        }
        count += 1;
    }
    if count < TEXTS_MIN {
        wrong.push(format!("there are only {count} texts"));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

/// Texts that are too large to write down.
fn made() -> Vec<(&'static str, String, &'static str)> {
    let main = "@compute @workgroup_size(1) fn main()";
    vec![
        ("2 MB of blanks", " ".repeat(2 << 20), "too-large"),
        ("a comment of 2 MB", format!("/*{}*/ {main} {{}}", "x".repeat(2 << 20)), "too-large"),
        ("parentheses", format!("{main} {{ let x = {}1{}; }}", "(".repeat(5000), ")".repeat(5000)), "too-large"),
        ("braces", format!("{main} {}{}", "{".repeat(5000), "}".repeat(5000)), "too-large"),
        ("a sum", format!("{main} {{ let x = 1{}; }}", " + 1".repeat(20_000)), "too-large"),
        ("minus signs", format!("{main} {{ let x = {}1; }}", "- ".repeat(20_000)), "too-large"),
        ("else if", format!("{main} {{ if true {{}} {} }}", "else if true {} ".repeat(5000)), "too-large"),
        ("nested arrays", format!("var<private> x: {}u32{};", "array<".repeat(1000), ", 2>".repeat(1000)), "too-large"),
        (
            "functions",
            format!("{} {main} {{}}", (0..5000).map(|n| format!("fn f{n}() {{}} ")).collect::<String>()),
            "too-large",
        ),
    ]
}

fn describe(text: &str) -> String {
    let descriptor = KernelDescriptor { wgsl: text.to_owned(), entry_point: "main".to_owned(), constants: Vec::new() };
    match Kernel::create(&descriptor) {
        Ok(_) => "taken".to_owned(),
        Err(KernelError::Invalid(at)) => format!("invalid {}", at.line),
        Err(KernelError::Unsupported(at)) => format!("unsupported {}", at.line),
        Err(KernelError::UnknownEntryPoint) => "unknown-entry-point".to_owned(),
        Err(KernelError::BadConstant(name)) => format!("bad-constant {name}"),
        Err(KernelError::TooLarge) => "too-large".to_owned(),
    }
}
