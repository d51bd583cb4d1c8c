/** When servers are tried again, decided without time and without servers. */
import { assert, describe, it } from "@effect/vitest"
import { ReconnectPolicy } from "../../src/internal/reconnect/ReconnectPolicy.ts"

const long = { hasAnswered: true, lived: 1000 }
const short = { hasAnswered: true, lived: 999 }

/** A whole round without a server that gives the session. */
const failRound = (policy: ReconnectPolicy) => {
  const start = policy.beginRound()
  policy.lapEnded()
  policy.roundFailed()
  return start
}

/** A round in which a server gives the session. */
const connect = (policy: ReconnectPolicy) => {
  const start = policy.beginRound()
  policy.connected()
  return start
}

describe("rounds over the servers", () => {
  it("begin at once the first time, and after a pause when all servers have failed", () => {
    const policy = new ReconnectPolicy()
    assert.strictEqual(failRound(policy), "at once")
    assert.strictEqual(failRound(policy), "after a pause")
    assert.strictEqual(failRound(policy), "after a pause")
  })

  it("begin at once at the first server of the list only after a connection that worked", () => {
    const policy = new ReconnectPolicy()
    policy.lapEnded()
    assert.strictEqual(connect(policy), "at once")
    // It was given up before it answered: the list goes on, and begins anew.
    policy.lost({ hasAnswered: false, lived: 1000 })
    policy.lapEnded()
    assert.strictEqual(connect(policy), "after a pause")
    policy.lost(long)
    policy.lapEnded()
    assert.strictEqual(connect(policy), "at once")
  })

  it("begin at once anywhere else in the list", () => {
    const policy = new ReconnectPolicy()
    connect(policy)
    policy.lost({ hasAnswered: false, lived: 1000 })
    assert.strictEqual(connect(policy), "at once")
  })

  it("have pauses between servers from the second on, until a server gives the session", () => {
    const policy = new ReconnectPolicy()
    assert.isFalse(policy.pausesBetweenServers)
    failRound(policy)
    assert.isTrue(policy.pausesBetweenServers)
    connect(policy)
    assert.isFalse(policy.pausesBetweenServers)
  })

  it("lose a pause that was due when a server gives the session", () => {
    const policy = new ReconnectPolicy()
    failRound(policy)
    policy.connected()
    assert.strictEqual(policy.beginRound(), "at once")
  })
})

describe("the pauses between rounds", () => {
  it("begin anew after a connection, whether its server answered or not", () => {
    for (const hasAnswered of [true, false]) {
      const policy = new ReconnectPolicy()
      connect(policy)
      assert.strictEqual(policy.lost({ hasAnswered, lived: 1000 }), "begin anew")
    }
  })

  it("go on after more than three connections in a row that lasted less than a second", () => {
    const policy = new ReconnectPolicy()
    for (const pauses of ["begin anew", "begin anew", "begin anew", "go on", "go on"]) {
      connect(policy)
      assert.strictEqual(policy.lost(short), pauses)
    }
    assert.strictEqual(connect(policy), "after a pause")
  })

  it("begin anew again after one that lasted a second", () => {
    const policy = new ReconnectPolicy()
    for (let lost = 0; lost < 5; lost++) {
      connect(policy)
      policy.lost(short)
    }
    connect(policy)
    assert.strictEqual(policy.lost(long), "begin anew")
    assert.strictEqual(connect(policy), "at once")
    assert.strictEqual(policy.lost(short), "begin anew")
  })

  it("begin anew when a server says that the session has expired, which gives another at once", () => {
    const policy = new ReconnectPolicy()
    failRound(policy)
    assert.strictEqual(policy.expired("server"), "begin anew")
    assert.strictEqual(policy.beginRound(), "at once")
  })

  it("go on when the session expires because no server was heard, as those of all clients do", () => {
    const policy = new ReconnectPolicy()
    failRound(policy)
    assert.strictEqual(policy.expired("silence"), "go on")
    assert.strictEqual(policy.beginRound(), "after a pause")
  })
})
