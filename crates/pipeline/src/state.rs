//! Why a run ends early: the first reason wins.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::Error;
use crate::slot::Panic;

pub(crate) enum Reason<E> {
    Failed(Error<E>),
    Panicked(Panic),
    Stopped,
}

pub(crate) struct State<E> {
    over: AtomicBool,
    reason: Mutex<Option<Reason<E>>>,
}

impl<E> State<E> {
    pub(crate) fn new() -> Self {
        Self { over: AtomicBool::new(false), reason: Mutex::new(None) }
    }

    pub(crate) fn end(&self, reason: Reason<E>) {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(reason);
        self.over.store(true, Ordering::Release);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    pub(crate) fn into_reason(self) -> Option<Reason<E>> {
        self.reason.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}
