import { assert, describe, it } from "@effect/vitest"
import * as InvalidArgument from "../../src/InvalidArgument.ts"
import { JuteError } from "../../src/JuteError.ts"
import * as Printable from "../../src/Printable.ts"
import { NoNode } from "../../src/ServerError.ts"

/** Everything that ends a line, moves a cursor or turns a direction, in a terminal or a viewer of logs. */
// oxlint-disable-next-line no-control-regex -- these are meant
const acting = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/

const foul = "/a\nFATAL forged\r\u001b[2K\u0085\u2028\u2029\u202e\u2066\u200b\u0000\u007f\ud800/z"

describe("foreign text in messages", () => {
  it("keeps what can be read, in any script", () => {
    for (const text of ["", "/app/köln", "/日本語/データ", "/a b", `/"quoted"\\`, "/😀"]) {
      assert.strictEqual(Printable.escape(text), text)
    }
  })

  it("shows what would act", () => {
    assert.strictEqual(Printable.escape("a\nb\u001b\u2028\u202e"), "a\\u000ab\\u001b\\u2028\\u202e")
    assert.strictEqual(Printable.quote(`a\n"\u001b\u202e`), String.raw`"a\n\"\u001b\u202e"`)
    assert.match(foul, acting)
    assert.notMatch(Printable.escape(foul), acting)
    assert.notMatch(Printable.quote(foul), acting)
  })

  it("shows no more than so much, and no half of a pair", () => {
    const long = Printable.escape("x".repeat(100_000))
    assert.strictEqual(long, `${"x".repeat(Printable.maxLength)}…`)
    assert.isBelow(Printable.quote("\u0000".repeat(100_000)).length, 7 * Printable.maxLength)
    assert.include(Printable.escape(`${"x".repeat(Printable.maxLength - 1)}😀`), "\\ud83d…")
  })

  it("is how errors name paths and arguments; the path itself stays as it is", () => {
    const error = new NoNode({ path: foul, operation: "getData" })
    assert.notMatch(error.message, acting)
    assert.strictEqual(error.path, foul)
    const argument = new InvalidArgument.InvalidArgument({ argument: "path", value: foul, rule: "must be one" })
    assert.notMatch(argument.message, acting)
    assert.include(argument.message, String.raw`"/a\nFATAL forged`)
  })

  it("is how malformed bytes are told, whose text is a peer's", () => {
    const error = new JuteError({ offset: 4, field: `acl[0].${foul}`, problem: `"${foul}" is no scheme` })
    assert.notMatch(error.message, acting)
    assert.strictEqual(error.field, `acl[0].${foul}`)
    assert.strictEqual(structuredClone(error).message, error.message)
  })
})
