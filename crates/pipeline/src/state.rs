//! Why a run ends early: the first reason wins.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::Error;
use crate::slot::Panic;

pub(crate) enum Reason<E, R> {
    Failed(Error<E, R>),
    Panicked(Panic),
    Stopped,
}

pub(crate) struct State<E, R> {
    over: AtomicBool,
    reason: Mutex<Option<Reason<E, R>>>,
}

impl<E, R> State<E, R> {
    pub(crate) fn new() -> Self {
        Self { over: AtomicBool::new(false), reason: Mutex::new(None) }
    }

    pub(crate) fn end(&self, reason: Reason<E, R>) {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(reason);
        self.over.store(true, Ordering::Release);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    pub(crate) fn into_reason(self) -> Option<Reason<E, R>> {
        self.reason.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}
