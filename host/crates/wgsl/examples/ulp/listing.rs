//! A sequence as text, one operation a line.

use samebit_wgsl::lowered::{Binary, MathFunction, Ops, Unary};
use samebit_wgsl::math::sequence;
use std::fmt::Write as _;

/// The text of a function's sequence: operations by their names in the lowered form, constants by their bits.
pub(super) fn listing(function: MathFunction) -> String {
    let mut lister = Lister { text: String::new(), indent: 0, next: 0 };
    let names = ["x", "y"].map(Name::Operand);
    let result = sequence(&mut lister, function, &names[..function.params().len()]);
    let head = if function.params().len() == 1 { "x" } else { "x, y" };
    format!("{function:?}({head}):\n{}    give {}\n", lister.text, result.text())
}

/// What a value is called.
#[derive(Clone, Copy)]
enum Name {
    Operand(&'static str),
    Constant(u32),
    Step(u32),
}

impl Name {
    fn text(self) -> String {
        match self {
            Self::Operand(name) => name.to_owned(),
            Self::Constant(bits) => format!("{bits:#x}"),
            Self::Step(number) => format!("v{number}"),
        }
    }
}

fn list(names: &[Name]) -> String {
    names.iter().map(|name| name.text()).collect::<Vec<_>>().join(", ")
}

struct Lister {
    text: String,
    indent: usize,
    next: u32,
}

impl Lister {
    fn fresh(&mut self) -> Name {
        self.next += 1;
        Name::Step(self.next)
    }

    fn line(&mut self, line: &str) {
        let indent = 4 * (self.indent + 1);
        let _ = writeln!(self.text, "{:indent$}{line}", "");
    }

    fn step(&mut self, operation: &str, operands: &[Name]) -> Name {
        let name = self.fresh();
        self.line(&format!("{} = {operation}({})", name.text(), list(operands)));
        name
    }
}

impl Ops for Lister {
    type V = Name;

    fn bits(&mut self, bits: u32) -> Name {
        Name::Constant(bits)
    }

    fn unary(&mut self, op: Unary, a: Name) -> Name {
        // Bits stay what they are.
        if matches!(op, Unary::FloatFromBits | Unary::BitsFromFloat) {
            return a;
        }
        self.step(&format!("{op:?}"), &[a])
    }

    fn binary(&mut self, op: Binary, a: Name, b: Name) -> Name {
        self.step(&format!("{op:?}"), &[a, b])
    }

    fn select(&mut self, condition: Name, accept: Name, reject: Name) -> Name {
        self.step("Select", &[condition, accept, reject])
    }

    fn fma(&mut self, a: Name, b: Name, c: Name) -> Name {
        self.step("Fma", &[a, b, c])
    }

    fn rarely<const N: usize>(
        &mut self,
        condition: Name,
        usual: [Name; N],
        rare: impl FnOnce(&mut Self) -> [Name; N],
    ) -> [Name; N] {
        let results = usual.map(|_| self.fresh());
        self.line(&format!("{} = {}, but if {}:", list(&results), list(&usual), condition.text()));
        self.indent += 1;
        let values = rare(self);
        self.line(&format!("give {}", list(&values)));
        self.indent -= 1;
        results
    }

    fn call(&mut self, function: MathFunction, args: &[Name]) -> Name {
        self.step(&format!("{function:?}"), args)
    }
}
