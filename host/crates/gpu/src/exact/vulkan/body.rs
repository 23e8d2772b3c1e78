//! A function that is being built: its variables, its instructions, and what is open around the current block.

use spirv::{FunctionControl, LoopControl, Op, SelectionControl, StorageClass};

use super::module::push;

/// Words of the instruction for a parameter.
const PARAM_WORDS: usize = 3;

/// What is open. Numbers are of labels.
enum Open {
    If { otherwise: u32, merge: u32 },
    Loop { header: u32, continuing: u32, merge: u32 },
    Switch { cases: Vec<u32>, merge: u32 },
}

/// A function that is being built.
pub(super) struct Body {
    pub(super) function: u32,
    label: u32,
    params: Vec<u32>,
    variables: Vec<u32>,
    code: Vec<u32>,
    open: Vec<Open>,
    /// Whether the current block has ended.
    is_over: bool,
}

impl Body {
    pub(super) fn new(function: u32, label: u32) -> Self {
        Self {
            function,
            label,
            params: Vec::new(),
            variables: Vec::new(),
            code: Vec::new(),
            open: Vec::new(),
            is_over: false,
        }
    }

    pub(super) fn param(&mut self, ty: u32, id: u32) {
        push(&mut self.params, Op::FunctionParameter, &[ty, id]);
    }

    /// How many parameters it has.
    pub(super) fn params(&self) -> usize {
        self.params.len() / PARAM_WORDS
    }

    /// A variable, with or without what it starts as.
    pub(super) fn variable(&mut self, pointer: u32, id: u32, start: Option<u32>) {
        let operands: Vec<u32> = [pointer, id, StorageClass::Function as u32].into_iter().chain(start).collect();
        push(&mut self.variables, Op::Variable, &operands);
    }

    pub(super) fn push(&mut self, op: Op, operands: &[u32]) {
        push(&mut self.code, op, operands);
    }

    pub(super) fn result(&mut self, op: Op, ty: u32, id: u32, operands: &[u32]) {
        let operands: Vec<u32> = [ty, id].iter().chain(operands).copied().collect();
        push(&mut self.code, op, &operands);
    }

    fn begin(&mut self, label: u32) {
        self.push(Op::Label, &[label]);
        self.is_over = false;
    }

    /// Ends the current block by going to a label, unless it has ended already.
    fn branch(&mut self, label: u32) {
        if !self.is_over {
            self.push(Op::Branch, &[label]);
            self.is_over = true;
        }
    }

    pub(super) fn begin_if(&mut self, condition: u32, [accept, otherwise, merge]: [u32; 3]) {
        self.push(Op::SelectionMerge, &[merge, SelectionControl::NONE.bits()]);
        self.push(Op::BranchConditional, &[condition, accept, otherwise]);
        self.begin(accept);
        self.open.push(Open::If { otherwise, merge });
    }

    pub(super) fn begin_else(&mut self) {
        if let Some(Open::If { otherwise, merge }) = self.open.last() {
            let (otherwise, merge) = (*otherwise, *merge);
            self.branch(merge);
            self.begin(otherwise);
        }
    }

    pub(super) fn begin_loop(&mut self, [header, body, continuing, merge]: [u32; 4]) {
        self.branch(header);
        self.begin(header);
        self.push(Op::LoopMerge, &[merge, continuing, LoopControl::NONE.bits()]);
        self.branch(body);
        self.begin(body);
        self.open.push(Open::Loop { header, continuing, merge });
    }

    pub(super) fn begin_continuing(&mut self) {
        if let Some(Open::Loop { continuing, .. }) = self.open.last() {
            let continuing = *continuing;
            self.branch(continuing);
            self.begin(continuing);
        }
    }

    /// Labels of the cases are in their order, and that of the default is last.
    pub(super) fn begin_switch(&mut self, selector: u32, values: &[&[u32]], mut labels: Vec<u32>, merge: u32) {
        let default = labels.last().copied().unwrap_or(merge);
        let mut operands = vec![selector, default];
        for (values, label) in values.iter().zip(&labels) {
            operands.extend(values.iter().flat_map(|value| [*value, *label]));
        }
        self.push(Op::SelectionMerge, &[merge, SelectionControl::NONE.bits()]);
        self.push(Op::Switch, &operands);
        self.is_over = true;
        labels.reverse();
        self.open.push(Open::Switch { cases: labels, merge });
    }

    pub(super) fn begin_case(&mut self) {
        if let Some(Open::Switch { cases, merge }) = self.open.last_mut() {
            let (next, merge) = (cases.pop(), *merge);
            self.branch(merge);
            if let Some(next) = next {
                self.begin(next);
            }
        }
    }

    /// Ends whatever is open.
    pub(super) fn end(&mut self, break_if: Option<u32>) {
        match self.open.pop() {
            Some(Open::If { merge, .. } | Open::Switch { merge, .. }) => {
                self.branch(merge);
                self.begin(merge);
            }
            Some(Open::Loop { header, merge, .. }) => {
                if let Some(condition) = break_if {
                    self.push(Op::BranchConditional, &[condition, merge, header]);
                } else {
                    self.branch(header);
                }
                self.begin(merge);
            }
            None => {}
        }
    }

    pub(super) fn leave(&mut self) {
        let merge = self.open.iter().rev().find_map(|open| match open {
            Open::Loop { merge, .. } | Open::Switch { merge, .. } => Some(*merge),
            Open::If { .. } => None,
        });
        if let Some(merge) = merge {
            self.branch(merge);
        }
    }

    pub(super) fn go_on(&mut self) {
        let continuing = self.open.iter().rev().find_map(|open| match open {
            Open::Loop { continuing, .. } => Some(*continuing),
            Open::Switch { .. } | Open::If { .. } => None,
        });
        if let Some(continuing) = continuing {
            self.branch(continuing);
        }
    }

    /// Appends the whole function.
    pub(super) fn finish(self, words: &mut Vec<u32>, result: u32, ty: u32) {
        push(words, Op::Function, &[result, self.function, FunctionControl::NONE.bits(), ty]);
        words.extend(self.params);
        push(words, Op::Label, &[self.label]);
        words.extend(self.variables);
        words.extend(self.code);
        push(words, Op::FunctionEnd, &[]);
    }
}
