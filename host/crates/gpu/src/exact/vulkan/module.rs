//! The parts of a SPIR-V module, in the order in which they have to stand: each its own list of words.

use std::collections::HashMap;

use spirv::{AddressingModel, Capability, Decoration, ExecutionMode, ExecutionModel, MemoryModel, Op, StorageClass};

/// The number of the version: 1.3, which Vulkan 1.1 takes.
const VERSION: u32 = 0x0001_0300;

/// A type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Ty {
    Void,
    Bool,
    /// 32 bits.
    Word,
    /// The same, of operations that look at a sign.
    Signed,
    Float,
    Double,
    /// Of 2 to 4 words.
    Vector(u32),
    /// What an extended product gives.
    TwoWords,
    /// To a type, by its number.
    Pointer(StorageClass, u32),
}

/// Appends an instruction.
pub(super) fn push(words: &mut Vec<u32>, op: Op, operands: &[u32]) {
    let count = operands.len() as u32 + 1;
    words.push(count << 16 | op as u32);
    words.extend_from_slice(operands);
}

/// A text as words, with a zero at the end.
fn text(text: &str) -> Vec<u32> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize((bytes.len() + 1).next_multiple_of(4), 0);
    bytes.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word)).collect()
}

/// A module.
#[derive(Default)]
pub(super) struct Module {
    ids: u32,
    extended: Option<u32>,
    needs_doubles: bool,
    decorations: Vec<u32>,
    /// Types, constants and global variables.
    globals: Vec<u32>,
    types: HashMap<Ty, u32>,
    functions: HashMap<(usize, bool), u32>,
    words: HashMap<u32, u32>,
    booleans: [Option<u32>; 2],
}

impl Module {
    /// A new number.
    pub(super) fn id(&mut self) -> u32 {
        self.ids += 1;
        self.ids
    }

    /// The set of extended instructions.
    pub(super) fn extended(&mut self) -> u32 {
        match self.extended {
            Some(id) => id,
            None => *self.extended.insert({
                self.ids += 1;
                self.ids
            }),
        }
    }

    /// A type's number.
    pub(super) fn ty(&mut self, ty: Ty) -> u32 {
        if let Some(id) = self.types.get(&ty) {
            return *id;
        }
        let id = match ty {
            Ty::Void => self.global(Op::TypeVoid, &[]),
            Ty::Bool => self.global(Op::TypeBool, &[]),
            Ty::Word => self.global(Op::TypeInt, &[32, 0]),
            Ty::Signed => self.global(Op::TypeInt, &[32, 1]),
            Ty::Float => self.global(Op::TypeFloat, &[32]),
            Ty::Double => {
                self.needs_doubles = true;
                self.global(Op::TypeFloat, &[64])
            }
            Ty::Vector(size) => {
                let word = self.ty(Ty::Word);
                self.global(Op::TypeVector, &[word, size])
            }
            Ty::TwoWords => {
                let word = self.ty(Ty::Word);
                self.global(Op::TypeStruct, &[word, word])
            }
            Ty::Pointer(class, to) => self.global(Op::TypePointer, &[class as u32, to]),
        };
        self.types.insert(ty, id);
        id
    }

    /// A declaration whose result comes first.
    pub(super) fn global(&mut self, op: Op, operands: &[u32]) -> u32 {
        let id = self.id();
        let operands: Vec<u32> = [id].iter().chain(operands).copied().collect();
        push(&mut self.globals, op, &operands);
        id
    }

    /// A declaration whose type comes first.
    fn typed(&mut self, op: Op, ty: u32, operands: &[u32]) -> u32 {
        let id = self.id();
        let operands: Vec<u32> = [ty, id].iter().chain(operands).copied().collect();
        push(&mut self.globals, op, &operands);
        id
    }

    /// The type of a function from so many words to a word, or to nothing.
    pub(super) fn function_type(&mut self, params: usize, gives_word: bool) -> u32 {
        if let Some(id) = self.functions.get(&(params, gives_word)) {
            return *id;
        }
        let word = self.ty(Ty::Word);
        let mut operands = vec![if gives_word { word } else { self.ty(Ty::Void) }];
        operands.resize(params + 1, word);
        let id = self.global(Op::TypeFunction, &operands);
        self.functions.insert((params, gives_word), id);
        id
    }

    /// A constant.
    pub(super) fn word(&mut self, bits: u32) -> u32 {
        if let Some(id) = self.words.get(&bits) {
            return *id;
        }
        let ty = self.ty(Ty::Word);
        let id = self.typed(Op::Constant, ty, &[bits]);
        self.words.insert(bits, id);
        id
    }

    /// A constant.
    pub(super) fn boolean(&mut self, value: bool) -> u32 {
        if let Some(id) = self.booleans[usize::from(value)] {
            return id;
        }
        let ty = self.ty(Ty::Bool);
        let id = self.typed(if value { Op::ConstantTrue } else { Op::ConstantFalse }, ty, &[]);
        self.booleans[usize::from(value)] = Some(id);
        id
    }

    /// A constant of all zeros.
    pub(super) fn null(&mut self, ty: u32) -> u32 {
        self.typed(Op::ConstantNull, ty, &[])
    }

    /// A global variable.
    pub(super) fn variable(&mut self, class: StorageClass, of: u32) -> u32 {
        let pointer = self.ty(Ty::Pointer(class, of));
        self.typed(Op::Variable, pointer, &[class as u32])
    }

    pub(super) fn decorate(&mut self, id: u32, decoration: Decoration, operands: &[u32]) {
        let operands: Vec<u32> = [id, decoration as u32].iter().chain(operands).copied().collect();
        push(&mut self.decorations, Op::Decorate, &operands);
    }

    pub(super) fn decorate_member(&mut self, id: u32, decoration: Decoration, operands: &[u32]) {
        let operands: Vec<u32> = [id, 0, decoration as u32].iter().chain(operands).copied().collect();
        push(&mut self.decorations, Op::MemberDecorate, &operands);
    }

    pub(super) fn forbid_contraction(&mut self, id: u32) {
        self.decorate(id, Decoration::NoContraction, &[]);
    }

    /// All words of the module.
    pub(super) fn finish(
        mut self,
        entry: u32,
        interface: &[u32],
        workgroup_size: [u32; 3],
        functions: &[u32],
    ) -> Vec<u32> {
        let extended = self.extended();
        let mut words = vec![spirv::MAGIC_NUMBER, VERSION, 0, self.ids + 1, 0];
        push(&mut words, Op::Capability, &[Capability::Shader as u32]);
        if self.needs_doubles {
            push(&mut words, Op::Capability, &[Capability::Float64 as u32]);
        }
        let name: Vec<u32> = [extended].into_iter().chain(text("GLSL.std.450")).collect();
        push(&mut words, Op::ExtInstImport, &name);
        push(&mut words, Op::MemoryModel, &[AddressingModel::Logical as u32, MemoryModel::GLSL450 as u32]);
        let point: Vec<u32> = [ExecutionModel::GLCompute as u32, entry]
            .into_iter()
            .chain(text(crate::exact::portable::ENTRY_POINT))
            .chain(interface.iter().copied())
            .collect();
        push(&mut words, Op::EntryPoint, &point);
        let [x, y, z] = workgroup_size;
        push(&mut words, Op::ExecutionMode, &[entry, ExecutionMode::LocalSize as u32, x, y, z]);
        words.extend(self.decorations);
        words.extend(self.globals);
        words.extend_from_slice(functions);
        words
    }
}
