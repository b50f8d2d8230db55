/// What libFuzzer calls with the bytes of an input.
public typealias FuzzTarget = @convention(c) (UnsafeRawPointer?, Int) -> Int32

/// The arguments of a process.
public typealias Arguments = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ count: UnsafeMutablePointer<Int32>, _ arguments: UnsafeMutablePointer<Arguments>,
  _ target: FuzzTarget
) -> Int32

/// Runs libFuzzer; SwiftPM gives every executable a main function of its own name, which calls this.
public func fuzz(_ count: Int32, _ arguments: Arguments, _ target: FuzzTarget) -> Int32 {
  var count = count
  var arguments = arguments
  return runDriver(&count, &arguments, target)
}
