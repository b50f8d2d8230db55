import TestSupport
import Testing

/// Schedules beside recordings of other implementations: the same modules run in every call, and
/// the model's outputs agree.
@Suite("Replays") struct ReplayTests {
  @Test(
    "the systems with an installable implementation are reproduced",
    arguments: [
      ("wan_fbc", Float(1e-4)), ("wan_fbc_hi", 1e-4), ("wan_dbcache", 1e-4),
      ("wan_dbcache_b1", 1e-4), ("wan_dbcache_taylor", 5e-4), ("wan_magcache", 1e-4),
      ("wan_pab", 1e-4), ("wan_pab_all", 1e-4), ("wan_fastercache", 1e-4),
      ("wan_taylorseer_attn_o0", 1e-4), ("wan_taylorseer_attn_o1", 5e-4),
      ("wan_taylorseer_attn_o2", 5e-4), ("wan_taylorseer_block_o1", 5e-4),
      ("wan_taylorseer_lite", 5e-4),
    ])
  func peers(_ name: String, _ tolerance: Float) throws {
    let replay = try Replay(
      name, recording: Fixtures.unpacked + "/peers/\(name)",
      trajectory: Fixtures.corpus("wan_traj.npz"))
    #expect(replay.executed == (try replay.recordedExecution()))
    #expect(try replay.difference() <= tolerance)
  }

  @Test(
    "the systems that had to be written again are reproduced",
    arguments: [
      "wan_profilingdit", "wan_teacache_ret", "wan_fora", "wan_deltadit", "wan_adacache",
      "wan_pab_videosys",
    ])
  func oracles(_ name: String) throws {
    let replay = try Replay(name, recording: Fixtures.unpacked + "/oracles/\(name)")
    #expect(replay.executed == (try replay.recordedExecution()))
    #expect(try replay.difference() <= 5e-5)
  }

  @Test(
    "systems that ask the host to act on the branches of guidance are reproduced",
    arguments: ["wan_easycache_cfg", "wan_tgate"])
  func guided(_ name: String) throws {
    let replay = try Replay(name, recording: Fixtures.unpacked + "/oracles/\(name)")
    #expect(replay.executed == (try replay.recordedExecution()))
    #expect(try replay.difference("cond") <= 2e-4)
    #expect(try replay.difference("uncond") <= 2e-4)
  }

  @Test("FasterCache leaves unconditional calls out and rebuilds them, as diffusers does")
  func rebuilt() throws {
    let replay = try Replay(
      "wan_fastercache_cfg", recording: Fixtures.unpacked + "/peers/wan_fastercache_cfg",
      trajectory: Fixtures.corpus("wan_traj_cfg.npz"), model: "wan_dyn")
    let conditional = replay.executed.filter { $0.key.hasSuffix("/cond") }
    #expect(conditional == (try replay.recordedExecution()))
    let unconditional = replay.executed.keys.filter { $0.hasSuffix("/uncond") }
    #expect(Set(unconditional) == Set([0, 1, 2, 3, 4, 6, 9].map { "\($0)/uncond" }))
    #expect(try replay.difference() <= 1e-4)
  }
}
