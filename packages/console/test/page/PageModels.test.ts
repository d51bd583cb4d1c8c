/** The models of the page, which need no browser: drafts, lines, failures, events and rates. */
import { Unavailable } from "@effect-zookeeper/console/ProtocolError"
import type { TreeEvent } from "@effect-zookeeper/console/SearchModels"
import { stat } from "@effect-zookeeper/test-kit/ScriptedSession"
import { assert, describe, it } from "@effect/vitest"
import { RpcClientDefect, RpcClientError } from "effect/rpc/RpcClientError"
import { makeLog } from "../../page/src/events/log.ts"
import { describe as words } from "../../page/src/link/failures.ts"
import { lineEnd } from "../../page/src/model/data.ts"
import { afterSave, type Draft, isNewer, theirsOf } from "../../page/src/model/draft.ts"
import { mergeBoth } from "../../page/src/model/merge.ts"
import { makeRates } from "../../page/src/model/rates.ts"
import { counted } from "../../page/src/model/text.ts"

describe("a draft", () => {
  const draft = (text: string): Draft => ({ text, base: { text: "before", version: 3, czxid: "10" } })

  it("is over when its text is saved, and is based on that text when more was typed meanwhile", () => {
    const saved = { czxid: 10n, version: 4 }
    assert.isUndefined(afterSave(draft("new"), "new", saved))
    assert.deepStrictEqual(afterSave(draft("new and more"), "new", saved), {
      text: "new and more",
      base: { text: "new", version: 4, czxid: "10" }
    })
  })

  it("is behind a newer version and a znode that was created again, and not behind an older one", () => {
    const { base } = draft("")
    assert.strictEqual(isNewer({ czxid: 10n, version: 3 }, base), false)
    assert.strictEqual(isNewer({ czxid: 10n, version: 2 }, base), false)
    assert.strictEqual(isNewer({ czxid: 10n, version: 4 }, base), true)
    assert.strictEqual(isNewer({ czxid: 11n, version: 0 }, base), true)
    assert.strictEqual(isNewer({ czxid: 9n, version: 7 }, base), false)
  })
})

describe("what another one has written", () => {
  it("is no empty text where it is no text, or not all of it may be read", () => {
    const data = new TextEncoder().encode("theirs")
    assert.strictEqual(theirsOf({ stat, data }).text, "theirs")
    assert.strictEqual(theirsOf({ stat, data: new Uint8Array() }).text, "")
    assert.isUndefined(theirsOf({ stat }).text)
    assert.isUndefined(theirsOf({ stat, data, isTruncated: true }).text)
    assert.isUndefined(theirsOf({ stat, data: Uint8Array.of(255) }).text)
  })
})

describe("the lines of a text", () => {
  it("end with CR LF only where nothing else ends one", () => {
    assert.strictEqual(lineEnd("a\r\nb\r\n"), "\r\n")
    assert.strictEqual(lineEnd("a\r\nb\r\n", "one line"), "\r\n")
    for (const text of ["", "a\nb", "a\r\nb\n", "\na\r\n", "a\r\nb\rc", "a\r"]) assert.strictEqual(lineEnd(text), "\n")
    assert.strictEqual(lineEnd("a\r\nb", "a\nb"), "\n")
  })

  it("are merged with their ends", () => {
    assert.strictEqual(mergeBoth("a\r\nb\r\nc\r\n", "A\r\nb\r\nc\r\n", "a\r\nb\r\nC\r\n"), "A\r\nb\r\nC\r\n")
  })
})

describe("the words for a lost server of the page", () => {
  const lost = new RpcClientError({ reason: new RpcClientDefect({ message: "closed", cause: undefined }) })

  it("say that a change may have been made, that a question is asked again, and that a stream goes on", () => {
    assert.include(words(lost, "change"), "may have been made: look before you try again")
    assert.notInclude(words(lost, "change"), "goes on")
    assert.include(words(lost, "question"), "Try again")
    assert.include(words(lost), "It goes on when it is back")
    const unknown = new Unavailable({ message: "", maybeApplied: true })
    assert.include(words(unknown, "change"), "may have been made: look before you try again")
  })
})

describe("the log of events", () => {
  const event = (event: TreeEvent["event"], path = "/app"): TreeEvent => ({ time: 0, event, path })
  const seen = (log: ReturnType<typeof makeLog>) => log.matching("", Number.POSITIVE_INFINITY).map(({ event }) => event)

  it("has a gap where its stream began again, also in an export and under a filter", () => {
    const log = makeLog()
    log.add([event("ready"), event("created", "/app/a")])
    log.add([event("ready")])
    assert.deepStrictEqual(seen(log), ["ready", "created", "gap"])
    assert.deepStrictEqual(
      log.matching("/nowhere", 3).map(({ event }) => event),
      ["gap"]
    )
    assert.include(new TextDecoder().decode(log.lines(log.matching("", 3))), '"event":"gap"')
  })

  it("has a gap also after it was cleared, and none where another subtree begins", () => {
    const log = makeLog()
    log.add([event("ready")])
    log.clear()
    log.add([event("ready")])
    assert.deepStrictEqual(seen(log), ["gap"])
    log.begin()
    log.clear()
    log.add([event("ready", "/other")])
    assert.deepStrictEqual(seen(log), ["ready"])
  })
})

describe("a number of things", () => {
  it("is of one thing or of several", () => {
    assert.deepStrictEqual(
      [0, 1, 1284].map((count) => counted(count, "item")),
      ["0 items", "1 item", "1,284 items"]
    )
  })
})

describe("the rate of a queue", () => {
  it("is that of the last minute, and ends when the queue stands still", () => {
    const rates = makeRates()
    rates.see("/q", 0)
    rates.looked(0)
    assert.isUndefined(rates.of("/q"))
    for (let second = 1; second <= 30; second++) {
      rates.see("/q", second * 10)
      rates.looked(second * 1000)
    }
    assert.strictEqual(rates.of("/q"), 600)
    // It is not reported any more.
    for (let second = 31; second <= 60; second++) rates.looked(second * 1000)
    assert.strictEqual(rates.of("/q"), 300)
    for (let second = 61; second <= 91; second++) rates.looked(second * 1000)
    assert.strictEqual(rates.of("/q"), 0)
    rates.forget("/q")
    assert.isUndefined(rates.of("/q"))
  })
})
