//! Shadow memory: who accessed a word.
//!
//! Workgroups run one after the other, so it is enough to know of each word the first access of all by reading and by
//! writing: if that was another workgroup's, it conflicts with whatever follows. Within a workgroup, barriers divide time
//! into epochs, and only accesses of the current one matter: the last write, and two readers that are not the same.

/// Words of a page.
const PAGE: usize = 256;

/// No access, or no workgroup.
pub(super) const NONE: u32 = u32::MAX;

/// An access of the current epoch: the invocation's index in the upper 8 bits, the site in the lower 24.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Access(u32);

impl Access {
    const NONE: Self = Self(NONE);

    pub(super) fn new(local: u32, site: u32) -> Self {
        Self(local << 24 | site & 0x00ff_ffff)
    }

    pub(super) fn local(self) -> u32 {
        self.0 >> 24
    }

    pub(super) fn site(self) -> u32 {
        self.0 & 0x00ff_ffff
    }

    fn known(self) -> Option<Self> {
        (self != Self::NONE).then_some(self)
    }
}

/// An access, and whose workgroup it was.
#[derive(Clone, Copy, Debug)]
pub(super) struct Past {
    pub(super) group: u32,
    pub(super) access: Access,
}

impl Past {
    const NONE: Self = Self { group: NONE, access: Access::NONE };

    /// If it was another workgroup's.
    pub(super) fn of_others(self, group: u32) -> Option<Self> {
        (self.group != NONE && self.group != group).then_some(self)
    }
}

/// What is known of a word.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    epoch: u32,
    write: Access,
    reads: [Access; 2],
    /// What the last atomic store of the epoch wrote.
    pub(super) value: u32,
    /// What the first atomic store of all wrote.
    pub(super) first_value: u32,
    pub(super) first_write: Past,
    pub(super) first_read: Past,
}

impl Cell {
    const NEW: Self = Self {
        epoch: 0,
        write: Access::NONE,
        reads: [Access::NONE; 2],
        value: 0,
        first_value: 0,
        first_write: Past::NONE,
        first_read: Past::NONE,
    };

    /// Forgets what is from another epoch.
    pub(super) fn enter(&mut self, epoch: u32) {
        if self.epoch != epoch {
            self.epoch = epoch;
            self.write = Access::NONE;
            self.reads = [Access::NONE; 2];
        }
    }

    /// The last write of this epoch, if it was another invocation's.
    pub(super) fn written_by_other(&self, local: u32) -> Option<Access> {
        self.write.known().filter(|access| access.local() != local)
    }

    /// A read of this epoch, if it was another invocation's.
    pub(super) fn read_by_other(&self, local: u32) -> Option<Access> {
        self.reads.iter().find_map(|read| read.known().filter(|access| access.local() != local))
    }

    /// Keeps a write in mind.
    pub(super) fn write(&mut self, group: u32, access: Access, value: u32) {
        self.write = access;
        self.value = value;
        if self.first_write.group == NONE {
            self.first_write = Past { group, access };
            self.first_value = value;
        }
    }

    /// Keeps a read in mind.
    pub(super) fn read(&mut self, group: u32, access: Access) {
        let [first, second] = &mut self.reads;
        if *first == Access::NONE {
            *first = access;
        } else if first.local() != access.local() && *second == Access::NONE {
            *second = access;
        }
        if self.first_read.group == NONE {
            self.first_read = Past { group, access };
        }
    }
}

/// The words of one memory, in pages that are made when they are needed.
#[derive(Debug, Default)]
pub(super) struct Shadow {
    pages: Vec<Option<Box<[Cell; PAGE]>>>,
}

impl Shadow {
    /// The cell of a word. Takes what a new page costs from `bytes_left`; nothing if that is too little.
    pub(super) fn cell(&mut self, word: u32, bytes_left: &mut u64) -> Option<&mut Cell> {
        let (page, cell) = (word as usize / PAGE, word as usize % PAGE);
        if page >= self.pages.len() {
            self.pages.resize_with(page + 1, || None);
        }
        let page = &mut self.pages[page];
        if page.is_none() {
            *bytes_left = bytes_left.checked_sub(size_of::<[Cell; PAGE]>() as u64)?;
            *page = Some(Box::new([Cell::NEW; PAGE]));
        }
        page.as_mut().map(|page| &mut page[cell])
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.pages.iter_mut().flatten().for_each(|page| page.fill(Cell::NEW));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_costs_what_is_promised() {
        assert_eq!(size_of::<Cell>(), 40);
    }

    #[test]
    fn memory_is_bounded() {
        let mut shadow = Shadow::default();
        let mut bytes_left = 2 * size_of::<[Cell; PAGE]>() as u64;
        assert!(shadow.cell(0, &mut bytes_left).is_some());
        assert!(shadow.cell(1 << 20, &mut bytes_left).is_some());
        assert!(shadow.cell(1 << 21, &mut bytes_left).is_none());
        assert!(shadow.cell(255, &mut bytes_left).is_some());
    }
}
