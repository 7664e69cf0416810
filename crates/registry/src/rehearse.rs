//! A whole rehearsal: the import read by all threads, its lines applied in order, the registry as it is then.

use std::collections::HashSet;

use hubmill_pipeline::run;
use hubmill_reader::Input;

use crate::apply::Applying;
use crate::entry::Number;
use crate::error::Error;
use crate::index::{How, Registry};
use crate::outcome::{Failure, Outcome};
use crate::places::LineReader;
use crate::state::{Current, Rooms, State};
use crate::step::Stepping;
use crate::summary::Summary;
use crate::witness::Witness;

/// The registry after an import.
#[derive(Debug)]
pub struct After<'r> {
    pub(crate) state: State<'r>,
    pub(crate) how: How,
}

/// Rehearses an import: what would become of each line, told to `witness` in the order of the file, and what the registry would
/// be then.
///
/// Lines apply in the order of the file, each by the table of §2, and a section of a twin in a line replaces the hub's. Both
/// are assumptions: what rests on them is marked. What is not known (§10) comes to [`Outcome::NotKnown`](crate::Outcome), and
/// so does what follows from it.
///
/// `import` must be a file; see [`Input::spooled`]. `quota` is how many devices and modules the hub takes (§5.3).
///
/// # Errors
/// Where a file can't be read, or the witness can't go on.
pub fn rehearse<'r, W: Witness>(
    registry: &'r Registry,
    import: &'r Input,
    how: &How,
    quota: Option<u64>,
    witness: W,
) -> Result<(Summary, After<'r>, W), Error> {
    let gives_reasons = witness.wants(Outcome::Fails(Failure::SystemModule));
    let stepping = Stepping::new(registry, how, witness.wants_changes(), gives_reasons);
    let readers = [0, 1].map(|_| LineReader::new(how.level, how.limits));
    let mut applying = Applying::new(State::new(registry, import), readers, quota, witness);
    run(import, how.options, &stepping, &mut applying)?;
    let (mut summary, state, deleted_edges, witness) = applying.finish();
    summary.risks.orphaned_children = count_children(&state, &deleted_edges, how)?;
    import.check()?;
    registry.input.check()?;
    Ok((summary, After { state, how: *how }, witness))
}

/// More threads than this would wait for memory.
const COUNTING_THREADS_MAX: usize = 8;

/// How many devices are there whose scope is that of one of these edge devices.
fn count_children(state: &State<'_>, edges: &[Number], how: &How) -> Result<u64, Error> {
    if edges.is_empty() {
        return Ok(0);
    }
    let mut room = Vec::new();
    let ids = edges.iter().map(|edge| state.with_ids(*edge, &mut room, |id, _| id.to_vec()));
    let ids: HashSet<Vec<u8>> = ids.collect::<Result<_, _>>()?;
    let threads = how.options.threads.clamp(1, COUNTING_THREADS_MAX);
    let each = state.currents.len().div_ceil(threads).max(1);
    let count = |first: usize| -> Result<u64, Error> {
        let mut reader = LineReader::new(how.level, how.limits);
        let mut rooms = Rooms::default();
        let mut children = 0;
        for (number, current) in state.currents.iter().enumerate().skip(first).take(each) {
            if current.is(Current::CHILD) && !current.is(Current::GONE) {
                let parent =
                    state.with_view(number as Number, &mut reader, &mut rooms, |view| view.identity.parent())?;
                children += u64::from(parent.flatten().is_some_and(|parent| ids.contains(&parent)));
            }
        }
        Ok(children)
    };
    std::thread::scope(|scope| {
        let firsts = (0..state.currents.len()).step_by(each).skip(1);
        let count = &count;
        let others: Vec<_> = firsts.map(|first| scope.spawn(move || count(first))).collect();
        let own = count(0)?;
        others.into_iter().try_fold(own, |sum, thread| match thread.join() {
            Ok(result) => Ok(sum + result?),
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })
}
