//! What is owed to one peer, from whoever decides it, on whichever thread, to the task that writes
//! to the peer. While nothing is owed it takes next to no room, which ten thousand connections have
//! together; and many things can be put into it before that task is woken up.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use crate::wire::answers::Owed;

/// For how many things an empty queue keeps room.
const KEPT_ROOM: usize = 64;

/// See the module. It has no bound in itself.
#[derive(Debug, Default)]
pub(super) struct Queue {
    inner: Mutex<Inner>,
    /// How much was put in and not written yet.
    unwritten: AtomicUsize,
}

#[derive(Debug, Default)]
struct Inner {
    owed: VecDeque<Owed>,
    /// Who waits for there to be something.
    waiting: Option<Waker>,
    /// Whether nobody is left who could put something in.
    finished: bool,
    /// Whether the connection has ended, so that nothing is taken any more.
    closed: bool,
}

impl Queue {
    /// Puts something in; returns who is to be woken up for it, if somebody waits.
    ///
    /// # Errors
    /// Gives it back if the connection has ended.
    pub(super) fn put(&self, owed: Owed) -> Result<Option<Waker>, Owed> {
        let mut inner = self.lock();
        if inner.closed {
            return Err(owed);
        }
        self.unwritten.fetch_add(1, Ordering::Relaxed);
        inner.owed.push_back(owed);
        Ok(inner.waiting.take())
    }

    /// Waits until there is something, and takes the first of it; `None` once nothing more can come.
    /// Dropping the future loses nothing.
    pub(super) async fn next(&self) -> Option<Owed> {
        poll_fn(|context| Poll::Ready(ready!(self.poll(context)).owed.pop_front())).await
    }

    /// Waits until there is something, and appends what there is, up to `limit`; returns how much,
    /// 0 once nothing more can come. Dropping the future loses nothing.
    pub(super) async fn next_batch(&self, batch: &mut Vec<Owed>, limit: usize) -> usize {
        poll_fn(|context| {
            let mut inner = ready!(self.poll(context));
            let count = inner.owed.len().min(limit);
            batch.extend(inner.owed.drain(..count));
            inner.owed.shrink_to(KEPT_ROOM);
            Poll::Ready(count)
        })
        .await
    }

    /// Ready if there is something, or if nothing more can come.
    fn poll(&self, context: &Context<'_>) -> Poll<MutexGuard<'_, Inner>> {
        let mut inner = self.lock();
        if inner.owed.is_empty() && !inner.finished && !inner.closed {
            let waker = context.waker();
            inner
                .waiting
                .get_or_insert_with(|| waker.clone())
                .clone_from(waker);
            return Poll::Pending;
        }
        Poll::Ready(inner)
    }

    /// Nobody is left who could put something in.
    pub(super) fn finish(&self) {
        let waiting = {
            let mut inner = self.lock();
            inner.finished = true;
            inner.waiting.take()
        };
        if let Some(waiting) = waiting {
            waiting.wake();
        }
    }

    /// The connection has ended: nothing is taken any more. Returns what was put in and not taken.
    pub(super) fn close(&self) -> VecDeque<Owed> {
        let mut inner = self.lock();
        inner.closed = true;
        std::mem::take(&mut inner.owed)
    }

    /// So much of what was taken is written.
    pub(super) fn written(&self, count: usize) {
        self.unwritten.fetch_sub(count, Ordering::Relaxed);
    }

    /// How much was put in and not written yet.
    pub(super) fn unwritten(&self) -> usize {
        self.unwritten.load(Ordering::Relaxed)
    }

    /// The first of what is owed now, if anything.
    #[cfg(test)]
    pub(super) fn next_now(&self) -> Option<Owed> {
        self.lock().owed.pop_front()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // It is whole between any two of these lines.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::Wake;

    use super::*;

    /// Counts how often it is woken up.
    #[derive(Default)]
    struct Sleeper(AtomicUsize);

    impl Wake for Sleeper {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn pong(owed: Option<&Owed>) -> Option<u64> {
        match owed {
            Some(Owed::Pong(n)) => Some(*n),
            _ => None,
        }
    }

    #[test]
    fn who_waits_is_to_be_woken_up_by_the_first_of_many() {
        let queue = Queue::default();
        let sleeper = Arc::new(Sleeper::default());
        let waker = Waker::from(Arc::clone(&sleeper));
        let mut context = Context::from_waker(&waker);
        let mut batch = Vec::new();
        let mut taking = Box::pin(queue.next_batch(&mut batch, 2));
        assert!(taking.as_mut().poll(&mut context).is_pending());
        let wakers: Vec<_> = (1..=3).map(|n| queue.put(Owed::Pong(n)).unwrap()).collect();
        assert!(wakers[0].is_some() && wakers[1].is_none() && wakers[2].is_none());
        wakers.into_iter().flatten().for_each(Waker::wake);
        assert_eq!(sleeper.0.load(Ordering::Relaxed), 1);
        assert_eq!(taking.as_mut().poll(&mut context), Poll::Ready(2));
        drop(taking);
        assert_eq!(
            (pong(batch.first()), pong(batch.get(1))),
            (Some(1), Some(2))
        );
        assert_eq!(queue.unwritten(), 3);
        queue.written(2);
        assert_eq!(queue.unwritten(), 1);
    }

    #[tokio::test]
    async fn what_was_put_in_comes_out_also_after_the_last_who_could_has_gone() {
        let queue = Arc::new(Queue::default());
        assert!(queue.put(Owed::Pong(1)).unwrap().is_none());
        queue.finish();
        assert_eq!(pong(queue.next().await.as_ref()), Some(1));
        assert!(queue.next().await.is_none());
        assert_eq!(queue.next_batch(&mut Vec::new(), 9).await, 0);

        let waiting = Arc::new(Queue::default());
        let ended = tokio::spawn({
            let waiting = Arc::clone(&waiting);
            async move { waiting.next().await.is_none() }
        });
        tokio::task::yield_now().await;
        waiting.finish();
        assert!(ended.await.unwrap());
    }

    #[tokio::test]
    async fn nothing_is_taken_once_it_is_closed() {
        let queue = Queue::default();
        assert!(queue.put(Owed::Pong(1)).is_ok());
        assert_eq!(pong(queue.close().front()), Some(1));
        assert_eq!(pong(queue.put(Owed::Pong(2)).err().as_ref()), Some(2));
        assert!(queue.next().await.is_none());
    }

    #[test]
    fn it_keeps_little_room_for_what_it_once_had() {
        let queue = Queue::default();
        for n in 0..10_000 {
            assert!(queue.put(Owed::Pong(n)).is_ok());
        }
        let mut context = Context::from_waker(Waker::noop());
        let mut batch = Vec::new();
        let taking = pin!(queue.next_batch(&mut batch, usize::MAX));
        assert_eq!(taking.poll(&mut context), Poll::Ready(10_000));
        assert!(queue.lock().owed.capacity() <= 2 * KEPT_ROOM);
    }
}
