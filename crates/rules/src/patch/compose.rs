//! Edits one after the other, as one: a later edit sees what an earlier one has made.

use std::ops::ControlFlow;

use hubmill_parser::{Content, Level, Limits, Parser};
use hubmill_writer::splice;

use super::apply::{Buffers, apply_inside};
use super::{Action, Entry, Name, Otherwise, Patch};
use crate::rules::Texts;

/// One edit of the member at the end of a path.
#[derive(Clone, Debug)]
pub(super) enum Edit {
    Remove,
    Put(String),
    /// It is an object afterwards.
    MakeObject,
}

/// An edit that can't be made in any line: a name on the way is given a value that is no object.
#[derive(Debug)]
pub(super) struct NoObject {
    /// How many names the way there has.
    pub(super) names: usize,
}

impl Action {
    /// What has to be looked at before the value goes.
    fn into_before(self) -> Option<Box<Self>> {
        match self {
            Self::Remove { before } | Self::Put { before: before @ Some(_), .. } => before,
            // All members of the name went before it was put: there is only this one.
            Self::Put { afresh: true, before: None, .. } => None,
            once => Some(Box::new(once)),
        }
    }

    /// Whether a line that does not have the member has it afterwards.
    fn adds(&self) -> bool {
        match self {
            Self::Remove { .. } => false,
            Self::Put { .. } => true,
            Self::Inside { otherwise, .. } => *otherwise != Otherwise::Leave,
        }
    }
}

impl Patch {
    /// Adds an edit after all that are there. What is no object on the way is dealt with as `otherwise` says. Where the edit can't be
    /// made, the patch is of no use any more.
    pub(super) fn then(&mut self, path: &[Name], edit: &Edit, otherwise: Otherwise) -> Result<(), NoObject> {
        let Some((name, rest)) = path.split_first() else {
            return Ok(());
        };
        let at = self.entries.iter().position(|entry| entry.name.text == name.text);
        let earlier = at.map(|at| std::mem::replace(&mut self.entries[at].action, Action::Remove { before: None }));
        let added = earlier.as_ref().is_some_and(Action::adds);
        let place = self.place_of(&name.text);
        let action = if rest.is_empty() {
            after(earlier, edit, otherwise, place)
        } else {
            inside_after(earlier, rest, edit, otherwise, place)
                .map_err(|NoObject { names }| NoObject { names: names + 1 })?
        };
        match at {
            // What comes to be there only now comes after what came to be there before.
            Some(at) if !added && action.adds() => {
                let entry = self.entries.remove(at);
                self.entries.push(Entry { action, ..entry });
            }
            Some(at) => self.entries[at].action = action,
            None => self.entries.push(Entry { name: name.clone(), action, texts: None }),
        }
        Ok(())
    }
}

/// The edit of a member itself.
fn after(earlier: Option<Action>, edit: &Edit, otherwise: Otherwise, place: Option<hubmill_device::Place>) -> Action {
    let was_removed = matches!(earlier, Some(Action::Remove { .. }));
    let was_put_afresh = matches!(earlier, Some(Action::Put { afresh: true, .. }));
    let put = |value: String, earlier: Option<Action>| {
        let afresh = was_removed || was_put_afresh;
        Action::Put { value, afresh, before: earlier.and_then(Action::into_before) }
    };
    match (edit, earlier) {
        (Edit::Remove, earlier) => Action::Remove { before: earlier.and_then(Action::into_before) },
        (Edit::Put(value), earlier) => put(value.clone(), earlier),
        (Edit::MakeObject, None) => Action::Inside { patch: Patch { entries: Vec::new(), place }, otherwise },
        (Edit::MakeObject, Some(Action::Inside { patch, .. })) => Action::Inside { patch, otherwise },
        (Edit::MakeObject, Some(Action::Put { value, afresh, before })) => {
            let value = if value.starts_with('{') { value } else { "{}".to_owned() };
            Action::Put { value, afresh, before }
        }
        (Edit::MakeObject, earlier @ Some(Action::Remove { .. })) => put("{}".to_owned(), earlier),
    }
}

/// The edit of something inside of a member.
fn inside_after(
    earlier: Option<Action>,
    rest: &[Name],
    edit: &Edit,
    otherwise: Otherwise,
    place: Option<hubmill_device::Place>,
) -> Result<Action, NoObject> {
    Ok(match earlier {
        None => {
            let mut patch = Patch { entries: Vec::new(), place };
            patch.then(rest, edit, otherwise)?;
            Action::Inside { patch, otherwise }
        }
        Some(Action::Inside { mut patch, otherwise: earlier }) => {
            patch.then(rest, edit, otherwise)?;
            let otherwise = if earlier == Otherwise::Leave { otherwise } else { earlier };
            Action::Inside { patch, otherwise }
        }
        Some(Action::Put { value, afresh, before }) => {
            let value = edit_value(value, rest, edit, otherwise)?;
            Action::Put { value, afresh, before }
        }
        Some(removed @ Action::Remove { .. }) if otherwise == Otherwise::Leave => removed,
        Some(Action::Remove { before }) => {
            let value = edit_value("{}".to_owned(), rest, edit, otherwise)?;
            Action::Put { value, afresh: true, before }
        }
    })
}

/// Edits a value that an earlier edit has given.
fn edit_value(value: String, path: &[Name], edit: &Edit, otherwise: Otherwise) -> Result<String, NoObject> {
    let value = match (value.as_bytes().first(), otherwise) {
        (Some(b'{'), _) => value,
        (_, Otherwise::Leave) => return Ok(value),
        (Some(b'n'), _) | (_, Otherwise::Replace) => "{}".to_owned(),
        (_, Otherwise::Refuse) => return Err(NoObject { names: 0 }),
    };
    let mut patch = Patch::default();
    patch.then(path, edit, otherwise)?;
    let mut texts = Texts::default();
    patch.write_texts(&mut texts);
    let line = format!("{{\"v\":{value}}}");
    let limits = Limits { line_bytes_max: usize::MAX >> 1, depth_max: usize::from(u16::MAX) };
    let mut edited = None;
    Parser::new(Level::detect(), limits).parse(line.as_bytes(), 0, |line| {
        if let Content::Record(record) = &line.content
            && let Some(member) = record.members().first()
        {
            let mut buffers = Buffers::default();
            let result = apply_inside(&patch, record, member, "", texts.bytes(), &mut buffers);
            edited = Some(result.map(|()| {
                let mut out = Vec::new();
                buffers.edits.sort_by_key(|edit| edit.start);
                let (start, end) = (member.value.start as usize, member.value.end as usize);
                splice(&mut out, record.chunk(), start, end, buffers.edits.iter().copied(), texts.bytes());
                out
            }));
        }
        ControlFlow::Break(())
    });
    match edited {
        Some(Ok(text)) => Ok(String::from_utf8(text).unwrap_or(value)),
        // A value on the way is no object: where does not matter much, all of them are the user's own.
        Some(Err(_)) => Err(NoObject { names: path.len() - 1 }),
        None => Ok(value),
    }
}
