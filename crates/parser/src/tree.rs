//! The pieces of all stencils as a tree: what two stencils have in common at their start is there once.

use crate::switch::Switch;

/// So many pieces that may stand in one place are no longer tried one by one.
const SWITCH_MIN: usize = 6;

/// No node.
pub(crate) const NONE: u32 = u32::MAX;
/// Added to the number of a switch, which is no node.
const SWITCH: u32 = 1 << 31;

/// What comes after a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hole {
    /// The content of a string: the quotes belong to the pieces.
    Text,
    /// A number or a literal; what it was when the stencil was made: a number of few digits and nothing else, another number,
    /// or a literal.
    Integer,
    Number,
    Literal,
    /// The end of the line.
    End,
}

impl Hole {
    /// Whether the same values fit.
    fn takes_the_same(self, other: Self) -> bool {
        let is_scalar = |hole| matches!(hole, Self::Integer | Self::Number | Self::Literal);
        self == other || is_scalar(self) && is_scalar(other)
    }
}

/// Bytes of a piece that are kept with its node.
pub(crate) const HEAD_BYTES: usize = 32;

/// A piece and what comes after it.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(crate) struct Node {
    /// Its first 32 bytes, zeros after them.
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "only its kernels look at 32 bytes at once"))]
    pub(crate) head: [u8; HEAD_BYTES],
    /// Ones for those of the 32 bytes that are its own.
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "see above"))]
    pub(crate) mask: u32,
    /// Its length in bytes.
    pub(crate) length: u32,
    /// Where its bytes start in the text.
    pub(crate) text: u32,
    /// Another piece that may stand in its place, or [`NONE`]; after the first of many the number of a switch.
    pub(crate) next: u32,
    /// The first piece after the value; after [`Hole::End`] the number of the stencil.
    pub(crate) child: u32,
    pub(crate) hole: Hole,
    /// It is [`Hole::Text`], which is asked first: most are.
    pub(crate) is_text: bool,
    /// The first value here was longer than one look reaches.
    pub(crate) long: bool,
}

/// The pieces of all stencils.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
    /// All bytes of all pieces.
    pub(crate) text: Vec<u8>,
    /// The first piece of a line, or [`NONE`].
    pub(crate) root: u32,
    /// For pieces that many others may stand in place of: the second of these, and a switch for all of them but the first.
    switches: Vec<(u32, Switch)>,
}

impl Default for Tree {
    fn default() -> Self {
        Self { nodes: Vec::new(), text: Vec::new(), root: NONE, switches: Vec::new() }
    }
}

impl Tree {
    pub(crate) fn clear(&mut self) {
        self.nodes.clear();
        self.text.clear();
        self.root = NONE;
        self.switches.clear();
    }

    fn piece(&self, node: &Node) -> &[u8] {
        &self.text[node.text as usize..][..node.length as usize]
    }

    /// The piece that may stand at `at`, if `number` is no node's, but that of a switch.
    #[inline]
    pub(crate) fn switched(&self, number: u32, bytes: &[u8], at: usize) -> Option<u32> {
        let (_, switch) = self.switches.get((number ^ SWITCH) as usize)?;
        Some(switch.find(bytes, at).unwrap_or(NONE))
    }

    /// The node after this one, where `next` is a switch, too.
    fn after(&self, number: u32) -> u32 {
        let next = self.nodes[number as usize].next;
        self.switches.get((next ^ SWITCH) as usize).map_or(next, |(second, _)| *second)
    }

    /// The nodes that start with `first`, in order.
    fn chain(&self, first: u32) -> impl Iterator<Item = u32> {
        let node = |number: u32| Some(number).filter(|number| *number != NONE);
        std::iter::successors(node(first), move |number| node(self.after(*number)))
    }

    /// Puts the node `number`, of `piece`, among those that start with `first`: before all pieces that are a start of it,
    /// since these fit wherever it does. Gives the first of them all.
    fn insert(&mut self, first: u32, piece: &[u8], number: u32) -> u32 {
        if first == NONE {
            return number;
        }
        let mut all: Vec<u32> = self.chain(first).collect();
        let is_start = |other: &u32| piece.starts_with(self.piece(&self.nodes[*other as usize]));
        let place = all.iter().position(is_start).unwrap_or(all.len());
        let known = (self.nodes[first as usize].next ^ SWITCH) as usize;
        if place == all.len() && self.switches.get_mut(known).is_some_and(|(_, switch)| switch.add(piece, number)) {
            self.nodes[all[place - 1] as usize].next = number;
            return first;
        }
        all.insert(place, number);
        for pair in all.windows(2) {
            self.nodes[pair[0] as usize].next = pair[1];
        }
        let (first, others) = (all[0], &all[1..]);
        if others.len() >= SWITCH_MIN {
            let pieces: Vec<_> =
                others.iter().map(|number| (self.piece(&self.nodes[*number as usize]), *number)).collect();
            if let Some(switch) = Switch::new(&pieces) {
                let switch = (others[0], switch);
                let place = known.min(self.switches.len());
                match self.switches.get_mut(place) {
                    Some(known) => *known = switch,
                    None => self.switches.push(switch),
                }
                self.nodes[first as usize].next = place as u32 ^ SWITCH;
            }
        }
        first
    }

    /// The number of the node for `piece` among those that start with `first`.
    fn find(&self, first: u32, piece: &[u8], hole: Hole) -> Option<u32> {
        self.chain(first).find(|number| {
            let node = &self.nodes[*number as usize];
            node.hole.takes_the_same(hole) && self.piece(node) == piece
        })
    }

    /// The node for `piece` after the node `parent`, made where it is not there.
    pub(crate) fn enter(&mut self, parent: u32, piece: &[u8], hole: Hole, value_bytes: usize) -> u32 {
        let first = if parent == NONE { self.root } else { self.nodes[parent as usize].child };
        if let Some(number) = self.find(first, piece, hole) {
            return number;
        }
        let number = self.nodes.len() as u32;
        let text = self.text.len() as u32;
        self.text.extend_from_slice(piece);
        let length = piece.len() as u32;
        let mut head = [0; HEAD_BYTES];
        let head_bytes = piece.len().min(HEAD_BYTES);
        head[..head_bytes].copy_from_slice(&piece[..head_bytes]);
        let mask = if head_bytes == HEAD_BYTES { u32::MAX } else { (1 << head_bytes) - 1 };
        let long = value_bytes >= HEAD_BYTES;
        self.nodes.push(Node {
            head,
            mask,
            length,
            text,
            next: NONE,
            child: NONE,
            hole,
            is_text: hole == Hole::Text,
            long,
        });
        let first = self.insert(first, piece, number);
        match self.nodes.get_mut(parent as usize) {
            Some(parent) => parent.child = first,
            None => self.root = first,
        }
        number
    }
}
