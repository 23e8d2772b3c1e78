//! Control flow: labels become what structured programs have, and loops get their budget.
//!
//! A target can leave the innermost loop or switch, and nothing further out. So whoever leaves more sets down the label where
//! it is bound for, leaves the innermost, and behind each that is passed on the way the label is looked at.
//!
//! # Budgets
//! Each invocation counts its iterations down. When none is left it keeps that in mind, and from then on leaves every loop at
//! once, so that it soon ends and says so in the control buffer; what it computes until then means nothing. Loops with barriers inside are
//! different: all of the workgroup must leave them together, or those that remain would wait for ever. Their iterations are
//! the same for all, so they are counted once more, alone, and that number decides.

use super::emitter::{Emitter, Malformed};
use super::emulate::Steps;
use super::target::{Control, Kind, Target};
use samebit_device::wgsl::lowered::{Binary, Block, Case, Label, Lowered, Stmt, Value};
use std::collections::BTreeSet;

/// Where control goes that is not the next statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Exit {
    /// Behind what has the label.
    Leave(Label),
    /// To the loop's `continuing`.
    Continue(Label),
}

impl Exit {
    /// How a variable tells of it; 0 is none.
    fn number(self) -> u32 {
        match self {
            Self::Leave(Label(label)) => 2 * label + 1,
            Self::Continue(Label(label)) => 2 * label + 2,
        }
    }
}

/// A loop or switch that is open.
#[derive(Debug)]
struct Open {
    label: Label,
    is_loop: bool,
    /// What passes through it on its way.
    passing: BTreeSet<Exit>,
}

/// What is open, and what is counted.
pub(super) struct Exits<T: Target> {
    open: Vec<Open>,
    /// Where control is bound for, if it is on its way.
    bound: T::Variable,
    /// Nothing without loops.
    budget: Option<Budget<T::Variable>>,
}

/// What counts an invocation's iterations.
#[derive(Clone, Copy)]
struct Budget<V> {
    /// How many are left, of all loops.
    left: V,
    /// How many are left, of loops with barriers.
    shared: V,
    /// Whether there was one too many.
    is_spent: V,
}

impl<T: Target> Exits<T> {
    pub(super) fn open(kernel: &Lowered, target: &mut T) -> Self {
        let bound = target.variable(Kind::Word);
        let none = target.word(0);
        target.set(bound, none);
        let budget = has_loops(kernel).then(|| {
            let granted = target.control(Control::Budget);
            let [left, shared] = [(); 2].map(|()| {
                let variable = target.variable(Kind::Word);
                target.set(variable, granted);
                variable
            });
            let is_spent = target.variable(Kind::Bool);
            let no = target.boolean(false);
            target.set(is_spent, no);
            Budget { left, shared, is_spent }
        });
        Self { open: Vec::new(), bound, budget }
    }
}

/// Whether a kernel has a loop, and so can spend a budget.
pub(super) fn has_loops(kernel: &Lowered) -> bool {
    any(&kernel.body, &|statement| matches!(statement, Stmt::Loop { .. }))
}

/// Whether a kernel has a barrier inside of a loop.
pub(super) fn has_loops_with_barriers(kernel: &Lowered) -> bool {
    any(&kernel.body, &|statement| match statement {
        Stmt::Loop { body, continuing, .. } => has_barriers(body) || has_barriers(continuing),
        _ => false,
    })
}

fn has_barriers(block: &Block) -> bool {
    any(block, &|statement| matches!(statement, Stmt::Barrier(_)))
}

/// Whether a statement of a block, or inside of one, is such.
fn any(block: &Block, such: &impl Fn(&Stmt) -> bool) -> bool {
    block.iter().any(|statement| {
        such(statement)
            || match statement {
                Stmt::If { accept, reject, .. } => any(accept, such) || any(reject, such),
                Stmt::Switch { cases, default, .. } => {
                    cases.iter().any(|case| any(&case.body, such)) || any(default, such)
                }
                Stmt::Scope { body, .. } => any(body, such),
                Stmt::Loop { body, continuing, .. } => any(body, such) || any(continuing, such),
                _ => false,
            }
    })
}

impl<T: Target> Emitter<'_, T> {
    pub(super) fn flow(&mut self, statement: &Stmt) -> Result<(), Malformed> {
        match statement {
            Stmt::If { condition, accept, reject } => {
                let condition = self.get(*condition)?;
                self.target.begin_if(condition);
                self.block(accept)?;
                self.target.begin_else();
                self.block(reject)?;
                self.target.end_if();
                Ok(())
            }
            Stmt::Switch { label, selector, cases, default } => {
                let selector = self.get(*selector)?;
                self.switch(*label, selector, cases, default)
            }
            Stmt::Scope { label, body } => {
                let selector = self.target.word(0);
                self.switch(*label, selector, &[], body)
            }
            Stmt::Loop { label, body, continuing, break_if, .. } => self.repeat(*label, body, continuing, *break_if),
            Stmt::Leave(label) => self.exit(Exit::Leave(*label)),
            Stmt::Continue(label) => self.exit(Exit::Continue(*label)),
            _ => Ok(()),
        }
    }

    fn switch(&mut self, label: Label, selector: T::V, cases: &[Case], default: &Block) -> Result<(), Malformed> {
        let values: Vec<&[u32]> = cases.iter().map(|case| case.values.as_slice()).collect();
        self.exits.open.push(Open { label, is_loop: false, passing: BTreeSet::new() });
        self.target.begin_switch(selector, &values);
        for case in cases {
            self.target.begin_case();
            self.block(&case.body)?;
        }
        self.target.begin_case();
        self.block(default)?;
        self.target.end_switch();
        self.close()
    }

    fn repeat(
        &mut self,
        label: Label,
        body: &Block,
        continuing: &Block,
        break_if: Option<Value>,
    ) -> Result<(), Malformed> {
        self.exits.open.push(Open { label, is_loop: true, passing: BTreeSet::new() });
        self.target.begin_loop();
        self.spend(has_barriers(body) || has_barriers(continuing));
        self.block(body)?;
        self.target.begin_continuing();
        self.block(continuing)?;
        let break_if = break_if.map(|condition| self.get(condition)).transpose()?;
        self.target.end_loop(break_if);
        self.close()
    }

    /// Spends an iteration at the start of a loop's body.
    fn spend(&mut self, has_barriers: bool) {
        let Some(Budget { left, shared, .. }) = self.exits.budget else { return };
        if has_barriers {
            let rest = self.spend_from(shared, true);
            let rest = self.target.with(Binary::Subtract, rest, 1);
            self.target.set(shared, rest);
        }
        let rest = self.spend_from(left, !has_barriers);
        let t = &mut self.target;
        let rest = if has_barriers {
            let spent = t.some(rest);
            t.sub(rest, spent)
        } else {
            t.with(Binary::Subtract, rest, 1)
        };
        t.set(left, rest);
    }

    /// Says if nothing is left, and leaves the loop then if it `leaves`. Gives what is left.
    fn spend_from(&mut self, left: T::Variable, leaves: bool) -> T::V {
        let rest = self.target.get(left);
        let is_over = self.target.is_zero(rest);
        self.target.begin_if(is_over);
        if let Some(budget) = self.exits.budget {
            let yes = self.target.boolean(true);
            self.target.set(budget.is_spent, yes);
        }
        if leaves {
            self.target.leave();
        }
        self.target.begin_else();
        self.target.end_if();
        rest
    }

    /// At the end: says in the control buffer if the budget was spent. Not where it was, since drivers take much longer for
    /// loops that write to buffers.
    pub(super) fn end_budget(&mut self) {
        let Some(budget) = self.exits.budget else { return };
        let is_spent = self.target.get(budget.is_spent);
        self.target.begin_if(is_spent);
        self.if_real(|emitter| {
            let yes = emitter.target.word(1);
            emitter.target.set_control(Control::Spent, yes);
        });
        self.target.begin_else();
        self.target.end_if();
    }

    /// Goes where an exit leads, from inside the innermost loop or switch.
    fn exit(&mut self, exit: Exit) -> Result<(), Malformed> {
        let arrives = self.arrives(exit);
        let innermost = self.exits.open.last_mut().ok_or(Malformed("it leaves what is not open"))?;
        if !arrives {
            innermost.passing.insert(exit);
            let number = self.target.word(exit.number());
            self.target.set(self.exits.bound, number);
        }
        match exit {
            Exit::Continue(_) if arrives => self.target.go_on(),
            _ => self.target.leave(),
        }
        Ok(())
    }

    /// Behind a loop or switch: sends on whatever only passes through.
    fn close(&mut self) -> Result<(), Malformed> {
        let closed = self.exits.open.pop().ok_or(Malformed("it closes what is not open"))?;
        for exit in closed.passing {
            let bound = self.target.get(self.exits.bound);
            let is_this = self.target.with(Binary::Equal, bound, exit.number());
            self.target.begin_if(is_this);
            if self.arrives(exit) {
                let none = self.target.word(0);
                self.target.set(self.exits.bound, none);
            }
            self.exit(exit)?;
            self.target.begin_else();
            self.target.end_if();
        }
        Ok(())
    }

    /// Whether an exit from here gets where it leads at once.
    fn arrives(&self, exit: Exit) -> bool {
        let open = &self.exits.open;
        match exit {
            Exit::Leave(label) => open.last().is_some_and(|open| open.label == label),
            Exit::Continue(label) => {
                open.iter().rev().find(|open| open.is_loop).is_some_and(|open| open.label == label)
            }
        }
    }
}
