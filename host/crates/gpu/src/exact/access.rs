//! Loads, stores and atomic operations of the lowered form: places become elements and words of them.

use super::emitter::{Emitter, Malformed};
use super::emulate::Steps;
use super::target::{At, Target};
use samebit_device::wgsl::lowered::{AtomicOp, Binary, Memory, Place, Type, Value};

impl<T: Target> Emitter<'_, T> {
    /// Where the first word is, and how many words an element has.
    fn place(&mut self, place: &Place) -> Result<(At<T::V>, u32), Malformed> {
        let width = self.elements.width(place.memory);
        let bytes = 4 * width;
        let constant = place.constant / bytes;
        let mut element = None;
        for term in &place.terms {
            let index = self.get(term.index)?;
            let scaled = match term.stride / bytes {
                1 => index,
                stride => self.target.with(Binary::Multiply, index, stride),
            };
            element = Some(match element {
                Some(sum) => self.target.add(sum, scaled),
                None => scaled,
            });
        }
        let element = match element {
            Some(sum) if constant > 0 => self.target.with(Binary::Add, sum, constant),
            Some(sum) => sum,
            None => self.target.word(constant),
        };
        Ok((At { memory: place.memory, element, word: place.constant / 4 % width }, width))
    }

    /// Goes over words that may lie in several elements: calls `access` with where, which words, and how many.
    fn pieces(
        &mut self,
        place: &Place,
        count: u32,
        mut access: impl FnMut(&mut Self, At<T::V>, u32, u32) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        let (mut at, width) = self.place(place)?;
        let mut done = 0;
        while done < count {
            let piece = (width - at.word).min(count - done);
            access(self, at, done, piece)?;
            done += piece;
            if done < count {
                at = At { element: self.target.with(Binary::Add, at.element, 1), word: 0, ..at };
            }
        }
        Ok(())
    }

    pub(super) fn load(&mut self, first: Value, count: u32, place: &Place) -> Result<(), Malformed> {
        let is_hidden = matches!(place.memory, Memory::Array(_));
        self.pieces(place, count, |emitter, at, done, piece| {
            for (number, word) in (done..).zip(emitter.target.load(at, piece)) {
                let value = Value(first.0.saturating_add(number));
                // An optimizer may know that an element is still zero.
                let is_float = emitter.kernel.values.get(value.0 as usize) == Some(&Type::Float);
                let word = if is_hidden && is_float { emitter.target.or(word, emitter.zero) } else { word };
                emitter.define(value, word)?;
            }
            Ok(())
        })
    }

    pub(super) fn store(&mut self, place: &Place, values: &[T::V]) -> Result<(), Malformed> {
        self.pieces(place, values.len() as u32, |emitter, at, done, piece| {
            let values = values.iter().copied().skip(done as usize).take(piece as usize).collect::<Vec<_>>();
            emitter.if_real(|emitter| emitter.target.store(at, &values));
            Ok(())
        })
    }

    pub(super) fn atomic(
        &mut self,
        result: Option<Value>,
        op: AtomicOp,
        place: &Place,
        operand: Option<Value>,
    ) -> Result<(), Malformed> {
        if matches!(op, AtomicOp::Exchange | AtomicOp::CompareExchange(_)) {
            return Err(Malformed("it exchanges atomically, which the exact profile does not admit"));
        }
        let (at, _) = self.place(place)?;
        let operand = operand.map(|operand| self.get(operand)).transpose()?;
        match result {
            None => {
                self.if_real(|emitter| {
                    emitter.target.atomic(op, at, operand);
                });
                Ok(())
            }
            Some(_) if op != AtomicOp::Load => {
                Err(Malformed("it uses what an atomic operation gives, which the exact profile does not admit"))
            }
            Some(result) => {
                let found = self.target.atomic(op, at, operand);
                self.define(result, found.ok_or(Malformed("it reads nothing"))?)
            }
        }
    }
}
