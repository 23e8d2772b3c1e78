//! The shape of a program: declarations, functions, and an entry point whose phases are divided by barriers.
//!
//! Between two barriers, an invocation writes its own element of the workgroup's tile or reads any, never both. Its
//! results go to words of the output that no other invocation has.

use super::scope::{Function, Name, Writer};
use super::types::{Scalar, Type};

impl Writer {
    /// The whole program.
    pub(super) fn program(mut self) -> String {
        self.declarations();
        for _ in 0..self.rng.below(4) {
            self.function();
        }
        self.entry_point();
        self.text
    }

    fn declarations(&mut self) {
        for _ in 0..self.rng.below(4) {
            let number = self.structs.len();
            let members: Vec<_> = (0..1 + self.rng.below(4)).map(|_| self.any_type(number, 1)).collect();
            let texts: Vec<_> = members.iter().enumerate().map(|(i, ty)| format!("m{i}: {}", ty.name())).collect();
            self.line(&format!("struct S{number} {{ {} }}", texts.join(", ")));
            self.structs.push(members);
        }
        self.line("@group(0) @binding(0) var<storage> src: array<u32>;");
        self.line("@group(0) @binding(1) var<storage, read_write> out: array<u32>;");
        self.line("@group(0) @binding(2) var<uniform> params: array<vec4u, 4>;");
        self.line(&format!(
            "@group(0) @binding(3) var<storage, read_write> counters: array<atomic<u32>, {}>;",
            super::COUNTERS
        ));
        let size: u32 = self.workgroup_size.iter().product();
        let tile = Type::any_small(&mut self.rng);
        let tile = if let Type::Vector(size, Scalar::Bool) = tile { Type::Vector(size, Scalar::U32) } else { tile };
        self.line(&format!("var<workgroup> tile: array<{}, {size}>;", tile.name()));
        self.line("var<workgroup> shared_word: u32;");
        self.line("var<private> gi: u32;");
        let scratch = Type::any_small(&mut self.rng);
        self.line(&format!("var<private> scratch: {};", scratch.name()));
        self.tile = Some(tile);
        self.scratch = Some(scratch);
    }

    /// A function. It may call those before it, and read the input, but touches no variable that it is not given.
    fn function(&mut self) {
        let name = self.fresh("f");
        let params: Vec<_> = (0..1 + self.rng.below(3)).map(|_| Type::any_small(&mut self.rng)).collect();
        let structs = self.structs.len();
        let result = if self.rng.one_in(4) { self.any_type(structs, 1) } else { Type::any_small(&mut self.rng) };
        let pointer = match (self.rng.below(3), self.scratch.clone()) {
            (0, _) => Some(("function", self.any_type(structs, 1))),
            (1, Some(scratch)) => Some(("private", scratch)),
            _ => None,
        };
        let mut texts = Vec::new();
        for (i, ty) in params.iter().enumerate() {
            texts.push(format!("a{i}: {}", ty.name()));
            self.name(format!("a{i}"), ty.clone(), false);
        }
        if let Some((space, ty)) = &pointer {
            texts.push(format!("at: ptr<{space}, {}>", ty.name()));
            self.name("(*at)".to_owned(), ty.clone(), true);
        }
        self.fuel = 2 + self.rng.below(8);
        self.returns = Some(result.clone());
        self.block(&format!("fn {name}({}) -> {} {{", texts.join(", "), result.name()), "}", |writer| {
            writer.statements(1);
            let value = writer.expression(&result, 3);
            writer.line(&format!("return {value};"));
        });
        self.returns = None;
        self.names.clear();
        self.functions.push(Function { name, params, pointer, result });
    }

    fn entry_point(&mut self) {
        let [x, y, z] = self.workgroup_size;
        self.line(&format!("@compute @workgroup_size({x}, {y}, {z})"));
        let open = "fn main(@builtin(global_invocation_id) gid: vec3u, @builtin(local_invocation_id) lid: vec3u, \
                    @builtin(local_invocation_index) li: u32, @builtin(workgroup_id) wid: vec3u, \
                    @builtin(num_workgroups) nw: vec3u) {";
        for name in ["gid", "lid", "wid", "nw"] {
            self.name(name.to_owned(), Type::Vector(3, Scalar::U32), false);
        }
        self.name("li".to_owned(), Type::U32, false);
        self.block(open, "}", |writer| {
            let size: u32 = writer.workgroup_size.iter().product();
            writer.line(&format!("gi = (wid.x + nw.x * (wid.y + nw.y * wid.z)) * {size}u + li;"));
            if let Some(ty) = writer.scratch.clone() {
                let pointer = Some(("&scratch".to_owned(), "private"));
                writer.names.push(Name { text: "scratch".to_owned(), ty, is_mutable: true, pointer });
            }
            writer.fuel = 8 + writer.rng.below(30);
            writer.declare();
            writer.declare();
            writer.statements(0);
            for _ in 0..writer.rng.below(3) {
                writer.phase(size);
                writer.statements(0);
            }
            writer.results();
        });
    }

    /// Everyone writes its own element, then reads others'. Sometimes in a loop of the whole workgroup.
    fn phase(&mut self, size: u32) {
        let Some(tile) = self.tile.clone() else { return };
        let name = self.fresh("t");
        self.line(&format!("var {name}: {};", tile.name()));
        let is_loop = self.rng.one_in(2);
        if is_loop {
            let counter = self.fresh("r");
            let limit = format!("params[{}].{} % 4u", self.rng.below(4), self.rng.pick(&["x", "y"]));
            self.line(&format!("for (var {counter} = 0u; {counter} < {limit}; {counter}++) {{"));
        }
        let value = self.expression(&tile, 3);
        self.line(&format!("tile[li] = {value};"));
        if self.rng.one_in(3) {
            let (who, add) = (self.rng.below(size), self.rng.below(9));
            self.line(&format!("if li == {who}u {{ shared_word = gi * 3u + {add}u; }}"));
        }
        self.line("workgroupBarrier();");
        let element = format!("tile[{} % {size}u]", self.expression(&Type::U32, 2));
        self.line(&format!("{name} = {element};"));
        match self.rng.below(3) {
            0 => {
                let word = self.fresh("u");
                self.line(&format!("let {word} = workgroupUniformLoad(&shared_word);"));
                if is_loop {
                    self.line(&format!("gi += {word} * 0u;"));
                } else {
                    self.name(word, Type::U32, false);
                }
            }
            _ => self.line("workgroupBarrier();"),
        }
        if is_loop {
            self.line("}");
        }
        self.name(name, tile, true);
    }

    /// Writes to the output whatever is in scope.
    fn results(&mut self) {
        self.line("var hash = 17u;");
        let names = self.names.clone();
        for name in &names {
            self.mix(&name.text, &name.ty);
        }
        self.line(&format!("out[gi * {}u] = hash;", super::OUTPUT_WORDS));
        for word in 1..super::OUTPUT_WORDS {
            let value = self.expression(&Type::U32, 4);
            self.line(&format!("out[gi * {}u + {word}u] = {value};", super::OUTPUT_WORDS));
        }
    }

    /// Mixes every scalar of a value into the hash.
    fn mix(&mut self, text: &str, ty: &Type) {
        let word = match ty {
            Type::Scalar(Scalar::Bool) => format!("u32({text})"),
            Type::Scalar(Scalar::U32) => text.to_owned(),
            // A driver may choose the sign of zero.
            Type::Scalar(Scalar::F32) if self.is_exact() => format!("bitcast<u32>(i32({text}))"),
            Type::Scalar(_) => format!("bitcast<u32>({text})"),
            _ => {
                for (member, of) in self.members(ty) {
                    self.mix(&format!("{text}{member}"), &of);
                }
                return;
            }
        };
        self.line(&format!("hash = (hash ^ {word}) * 16777619u;"));
    }
}
