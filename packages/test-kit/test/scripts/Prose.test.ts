import { assertEach } from "../../src/Expectations.ts"
import { assert, describe, it } from "@effect/vitest"
import { proseOf } from "../../../../scripts/prose/extract.ts"
import { notCompiledIn, undocumentedIn, withoutExampleIn } from "../../../../scripts/prose/symbols.ts"
import { rules } from "../../../../scripts/prose/rules.ts"

const broken = (text: string) => rules.filter(({ pattern }) => pattern.test(text)).map(({ name }) => name)

describe("prose", () => {
  it("is what stands in markdown outside of code", () => {
    assert.deepStrictEqual(proseOf("x.md", "# Title\n\n```ts\nconst nobody = 1\n```\n\n- See `nobody`.\n"), [
      { line: 1, text: "Title" },
      { line: 7, text: "See `code`." }
    ])
  })

  it("is what stands in the comments and sentences of TypeScript", () => {
    const source =
      '/**\n * A thing.\n */\nconst nobody = "one word is none: " + name // Why.\nf("word", `at ${nobody}!`)'
    assertEach(proseOf("x.ts", source), ({ line, text }) => [line, text.replace(/\s+/g, " ")], [
      [2, "A thing."],
      [4, "one word is none: Why."],
      [5, "at …!"]
    ])
  })

  it("has nouns before clauses", () => {
    for (const text of ["Given to who asks first.", "Whoever has a lock stops.", "Done. Who waits is told."]) {
      assert.include(broken(text), "who without a noun", text)
    }
    for (const text of ["The caller, who waits, is told.", "Who holds the lock?", "It says who holds it."]) {
      assert.deepStrictEqual(broken(text), [], text)
    }
    assert.deepStrictEqual(broken("What is left is deleted."), ["what at the head of a sentence"])
    assert.deepStrictEqual(broken("It says what is left."), [])
    assert.deepStrictEqual(broken("What is left?"), [])
  })

  it("is what public symbols have above them, beside tags", () => {
    const source = `/** A lock. @since 0.1.0 */
export interface Lock {}

/** @since 0.1.0 */
export const make = 1

/**
 * @category models
 * @since 0.1.0
 */
export type Options = {}

export function none(): void {}
const internal = 1
`
    assertEach(undocumentedIn(source), ({ name }) => name, ["make", "Options", "none"])
  })

  it("has an example for constructors and layers, which is compiled because it is an @example", () => {
    const documented = (tags: string) =>
      `/**\n * A lock.\n *${tags} * @category constructors\n * @since 0.1.0\n */\nexport const make = 1\n`
    const fence = "\n * ```ts\n * make\n * ```\n"
    const example = documented(`\n * @example${fence}`)
    const bare = documented(`${fence} *\n`)
    assert.deepStrictEqual([withoutExampleIn(example), notCompiledIn(example)], [[], []])
    assertEach(withoutExampleIn(bare), ({ name }) => name, ["make"])
    assertEach(notCompiledIn(bare), ({ line }) => line, [4])
    assert.deepStrictEqual(withoutExampleIn(bare.replace("constructors", "models")), [])
  })
})
