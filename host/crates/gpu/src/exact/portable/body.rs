//! A function that is being built: its expressions, and its blocks that are open.

use std::collections::HashMap;

use naga::{Block, Expression, Function, Handle, Literal, Range, Span, Statement, SwitchCase, SwitchValue};

type Value = Handle<Expression>;

/// A statement that is open.
enum Open {
    If { condition: Value, accept: Option<Block> },
    Loop { body: Option<Block> },
    Switch { selector: Value, values: Vec<Vec<SwitchValue>>, done: Vec<SwitchCase> },
}

/// A function that is being built.
pub(super) struct Body {
    pub(super) function: Function,
    /// The zero that is loaded, or handed in.
    pub(super) zero: Value,
    /// What is open around the current block, and the block in which it stands.
    open: Vec<(Open, Block)>,
    block: Block,
    /// Expressions that are computed at this point and not yet written down.
    range: Option<(Value, Value)>,
    words: HashMap<u32, Value>,
    booleans: [Option<Value>; 2],
}

impl Default for Body {
    fn default() -> Self {
        let mut function = Function::default();
        // Stands in until it is known.
        let zero = function.expressions.append(Expression::Literal(Literal::U32(0)), Span::UNDEFINED);
        Self {
            function,
            zero,
            open: Vec::new(),
            block: Block::new(),
            range: None,
            words: HashMap::new(),
            booleans: [None; 2],
        }
    }
}

impl Body {
    /// Computes an expression here.
    pub(super) fn expression(&mut self, expression: Expression) -> Value {
        if expression.needs_pre_emit()
            || matches!(expression, Expression::CallResult(_) | Expression::AtomicResult { .. })
        {
            self.flush();
            return self.function.expressions.append(expression, Span::UNDEFINED);
        }
        let value = self.function.expressions.append(expression, Span::UNDEFINED);
        self.range = Some(self.range.map_or((value, value), |(first, _)| (first, value)));
        value
    }

    pub(super) fn word(&mut self, bits: u32) -> Value {
        if let Some(value) = self.words.get(&bits) {
            return *value;
        }
        let value = self.expression(Expression::Literal(Literal::U32(bits)));
        self.words.insert(bits, value);
        value
    }

    pub(super) fn boolean(&mut self, truth: bool) -> Value {
        if let Some(value) = self.booleans[usize::from(truth)] {
            return value;
        }
        let value = self.expression(Expression::Literal(Literal::Bool(truth)));
        self.booleans[usize::from(truth)] = Some(value);
        value
    }

    /// Writes down that expressions are computed before what follows.
    fn flush(&mut self) {
        if let Some((first, last)) = self.range.take() {
            self.block.push(Statement::Emit(Range::new_from_bounds(first, last)), Span::UNDEFINED);
        }
    }

    pub(super) fn push(&mut self, statement: Statement) {
        self.flush();
        self.block.push(statement, Span::UNDEFINED);
    }

    fn enter(&mut self, open: Open) {
        self.flush();
        let outside = std::mem::take(&mut self.block);
        self.open.push((open, outside));
    }

    /// Ends the current block.
    fn take(&mut self) -> Block {
        self.flush();
        std::mem::take(&mut self.block)
    }

    pub(super) fn begin_if(&mut self, condition: Value) {
        self.enter(Open::If { condition, accept: None });
    }

    pub(super) fn begin_else(&mut self) {
        let block = self.take();
        if let Some((Open::If { accept, .. }, _)) = self.open.last_mut() {
            *accept = Some(block);
        }
    }

    pub(super) fn begin_loop(&mut self) {
        self.enter(Open::Loop { body: None });
    }

    pub(super) fn begin_continuing(&mut self) {
        let block = self.take();
        if let Some((Open::Loop { body }, _)) = self.open.last_mut() {
            *body = Some(block);
        }
    }

    pub(super) fn begin_switch(&mut self, selector: Value, cases: &[&[u32]]) {
        let cases = cases.iter().map(|values| values.iter().map(|value| SwitchValue::U32(*value)).collect());
        // Taken from the end.
        let mut values: Vec<Vec<_>> = cases.chain([vec![SwitchValue::Default]]).collect();
        values.reverse();
        self.enter(Open::Switch { selector, values, done: Vec::new() });
    }

    /// Ends the case before, and begins the next.
    pub(super) fn begin_case(&mut self) {
        let block = self.take();
        let Some((Open::Switch { values, done, .. }, _)) = self.open.last_mut() else { return };
        end_case(done, block);
        if let Some(values) = values.pop() {
            // All but the last of a case's values fall through to it; its block follows.
            done.extend(values.into_iter().map(|value| SwitchCase { value, body: Block::new(), fall_through: true }));
        }
    }

    /// Ends whatever is open.
    pub(super) fn end(&mut self, break_if: Option<Value>) {
        let last = self.take();
        let Some((open, outside)) = self.open.pop() else { return };
        self.block = outside;
        self.push(match open {
            Open::If { condition, accept } => {
                Statement::If { condition, accept: accept.unwrap_or_default(), reject: last }
            }
            Open::Loop { body } => Statement::Loop { body: body.unwrap_or_default(), continuing: last, break_if },
            Open::Switch { selector, mut done, .. } => {
                end_case(&mut done, last);
                Statement::Switch { selector, cases: done }
            }
        });
    }

    pub(super) fn finish(mut self) -> Function {
        self.flush();
        self.function.body = self.block;
        self.function
    }
}

/// Gives the last case its block.
fn end_case(done: &mut [SwitchCase], block: Block) {
    if let Some(case) = done.last_mut() {
        case.body = block;
        case.fall_through = false;
    }
}
