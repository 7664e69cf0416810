//! Room for lines that are looked at together.

/// Lines of the import about one device or module, as bytes of their own.
#[derive(Debug, Default)]
pub(crate) struct LineRoom {
    texts: Vec<Vec<u8>>,
    starts: Vec<u64>,
    count: usize,
}

impl LineRoom {
    pub(crate) fn clear(&mut self) {
        self.count = 0;
        self.starts.clear();
    }

    pub(crate) fn push(&mut self, line: &[u8], start: u64) {
        if self.texts.len() == self.count {
            self.texts.push(Vec::new());
        }
        let text = &mut self.texts[self.count];
        text.clear();
        text.extend_from_slice(line);
        self.starts.push(start);
        self.count += 1;
    }

    pub(crate) fn lines(&self) -> impl Iterator<Item = (&[u8], u64)> {
        self.texts[..self.count].iter().map(Vec::as_slice).zip(self.starts.iter().copied())
    }
}
