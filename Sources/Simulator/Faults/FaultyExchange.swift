/// An exchange that something happens to.
final class FaultyExchange: ServerExchange {
  private let exchange: any ServerExchange
  private let drawn: FaultDraw.Drawn
  private let injector: FaultInjector
  private let refusal: (Int) -> ServerReply

  /// - Parameters:
  ///   - exchange: as it would be.
  ///   - drawn: what happens.
  ///   - injector: makes it happen.
  ///   - refusal: the answer of a status.
  init(
    _ exchange: any ServerExchange, _ drawn: FaultDraw.Drawn, _ injector: FaultInjector,
    refusal: @escaping (Int) -> ServerReply
  ) {
    self.exchange = exchange
    self.drawn = drawn
    self.injector = injector
    self.refusal = refusal
  }

  func receive(_ bytes: UnsafeRawBufferPointer) {
    unsafe exchange.receive(bytes)
  }

  func finish() -> ServerReply {
    injector.answer(drawn, refusal: refusal) { exchange.finish() }
  }
}
