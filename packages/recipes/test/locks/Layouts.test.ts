/** The names and data of recipes in all layouts, as tools read them. */
import { Layouts } from "@effect-zookeeper/recipes"
import { assertEach } from "@effect-zookeeper/test-kit/Expectations"
import { assert, describe, it } from "@effect/vitest"

const guid = "8f4a25d4-0f3b-4f4a-9c8e-9f5f2d2b1c77"
const hex = guid.replaceAll("-", "")

describe("names of contenders", () => {
  it("are told apart by kind and layout, in order of arrival", () => {
    const found = Layouts.contenders([
      `lock-${hex}-0000000006`,
      `_c_${hex}-lock-0000000002`,
      "config",
      `${hex}__lock__0000000003`,
      `_c_${guid}-latch-0000000004`,
      `_c_${guid}-lease-0000000005`,
      `_c_${guid}-lock-0000000001`
    ])
    assertEach(found, ({ kind, layout, sequence }) => [sequence, kind, layout], [
      [1, "lock", "curator"],
      [2, "lock", "go"],
      [3, "lock", "kazoo"],
      [4, "candidate", "curator"],
      [5, "lease", "curator"],
      [6, "lock", "aiozk"]
    ])
  })

  it("of kazoo are those of writers where there are readers", () => {
    const kinds = Layouts.contenders([`${hex}__lock__0000000001`, `${hex}__rlock__0000000002`])
    assertEach(kinds, ({ kind }) => kind, ["write", "read"])
    const curator = Layouts.contenders([`_c_${guid}-__WRIT__0000000001`, `_c_${guid}-__READ__0000000002`])
    assertEach(curator, ({ kind }) => kind, ["write", "read"])
  })
})

describe("contenders of two layouts", () => {
  it("share a path where the one that was not first waits for the other", () => {
    const layouts = ["curator", "go", "kazoo", "aiozk"] as const
    assertEach(layouts, (layout) => [layout, layouts.filter((other) => Layouts.waitsFor(layout, other))], [
      ["curator", ["curator", "go"]],
      ["go", ["curator", "go"]],
      ["kazoo", ["kazoo"]],
      ["aiozk", ["curator", "go", "kazoo", "aiozk"]]
    ])
  })
})

describe("names of items", () => {
  it("have a layout and a priority", () => {
    const names = (names: ReadonlyArray<string>) =>
      Layouts.queueEntries(names).map(({ layout, priority, sequence }) => [layout, priority, sequence])
    assert.deepStrictEqual(names(["queue-0000000008", "queue-0000000007", "other"]), [
      ["curator", 0, 7],
      ["curator", 0, 8]
    ])
    assert.deepStrictEqual(names(["queue-1000000050000000007", "queue-1000000010000000008"]), [
      ["curator", 1, 8],
      ["curator", 5, 7]
    ])
    assert.deepStrictEqual(names(["entry-100-0000000001", "entry-010-0000000002"]), [
      ["kazoo", 10, 2],
      ["kazoo", 100, 1]
    ])
    assert.deepStrictEqual(names(["a", "b"]), [])
  })
})

describe("the data of an item", () => {
  const text = (data: Uint8Array) => Layouts.queueItems(data)?.map((item) => new TextDecoder().decode(item))

  it("can be several items of Curator's queues", () => {
    const one = [0, 1, 0, 1, 1, 0, 0, 0, 2, 0x61, 0x62, 2]
    assert.deepStrictEqual(text(new Uint8Array(one)), ["ab"])
    assert.deepStrictEqual(text(new Uint8Array([...one.slice(0, -1), 1, 0, 0, 0, 1, 0x63, 2])), ["ab", "c"])
  })

  it("is nothing of Curator's where it is cut off or other bytes", () => {
    for (const bytes of [
      [],
      [1, 2, 3],
      [0, 1, 0, 1, 2],
      [0, 1, 0, 1, 1, 0, 0, 0, 9, 0x61, 2],
      [0, 1, 0, 1, 1, 0xff, 0xff, 0xff, 0xff, 0x61, 2],
      [0, 1, 0, 1, 1, 0, 0, 0, 1, 0x61, 2, 0]
    ]) {
      assert.isUndefined(text(new Uint8Array(bytes)), bytes.join())
    }
  })
})

describe("the data of a lease", () => {
  it("tells the holder, and nothing where it is free or other data", () => {
    const bytes = (text: string) => new TextEncoder().encode(text)
    const entry = { version: 1, identifier: "one", duration: 60_000, nonce: "n" }
    assert.deepStrictEqual(Layouts.leaseHolder(bytes(JSON.stringify(entry))), { identifier: "one", duration: 60_000 })
    for (const text of ["", "text", "{}", JSON.stringify({ ...entry, version: 2 })]) {
      assert.isUndefined(Layouts.leaseHolder(bytes(text)), text)
    }
  })
})
