/// Runs tasks on the curl thread, between its rounds.
///
/// A task that only awaits requests and hands their answers on costs two thread switches less for
/// each of them than on the global pool. It must not block or compute for long: transfers wait.
final class LoopExecutor: TaskExecutor {
  private let mailbox: Mailbox

  init(_ mailbox: Mailbox) { self.mailbox = mailbox }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    // Before the thread's start and after its end, the global pool does the work.
    if !mailbox.post(job) { globalConcurrentExecutor.enqueue(ExecutorJob(job)) }
  }
}
