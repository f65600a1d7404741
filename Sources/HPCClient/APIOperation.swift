import HTTP

/// The six operations of the service, by their names in Lua (`api.md`, Operations).
public enum APIOperation: String, Sendable, Hashable, CaseIterable {
  case listJobs = "jobs.list"
  case submitJob = "jobs.submit"
  case getJob = "jobs.get"
  case cancelJob = "jobs.cancel"
  case startSync = "files.sync"
  case syncStatus = "files.status"

  var method: HTTPMethod {
    switch self {
    case .listJobs, .getJob, .syncStatus: .get
    case .submitJob, .startSync: .post
    case .cancelJob: .delete
    }
  }

  /// Longest time from a free connection to the whole answer.
  ///
  /// The machine's own limit on a submission is 250 s (`api.md`, upstream).
  var totalTimeout: Duration {
    self == .submitJob ? .seconds(300) : .seconds(120)
  }

  var requestClass: HTTPRequestClass {
    switch self {
    case .cancelJob: .urgent
    case .submitJob: .submission
    case .listJobs, .getJob, .startSync, .syncStatus: .ordinary
    }
  }
}
