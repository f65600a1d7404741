import Dispatch

/// Runs what waits for disks, or hashes for long, beside the threads that tasks share: those must
/// never block (design §2).
public enum DiskWork {
  // As many at once as callers ask for: transfers are bounded by their own counts.
  private static let queue = DispatchQueue(label: "hpc-disk", attributes: .concurrent)

  /// Runs the body on a queue for disks and waits for what it answers.
  public static func run<T: Sendable, Failure: Error>(
    _ body: @escaping @Sendable () throws(Failure) -> T
  ) async throws(Failure) -> T {
    let result: Result<T, Failure> = await withCheckedContinuation { continuation in
      queue.async {
        do throws(Failure) {
          continuation.resume(returning: .success(try body()))
        } catch {
          continuation.resume(returning: .failure(error))
        }
      }
    }
    return try result.get()
  }
}
