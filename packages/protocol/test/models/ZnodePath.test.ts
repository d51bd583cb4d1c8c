import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as ZnodePath from "../../src/ZnodePath.ts"

/** A transcription of PathUtils.validatePath, statement by statement. */
const pathUtilsAccepts = (path: string): boolean => {
  if (path.length === 0) return false
  if (path[0] !== "/") return false
  if (path.length === 1) return true
  if (path[path.length - 1] === "/") return false
  const chars = path.split("")
  let lastc = "/"
  for (let i = 1; i < chars.length; lastc = chars[i]!, i++) {
    const c = chars[i]!
    if (c === "\u0000") return false
    else if (c === "/" && lastc === "/") return false
    else if (c === "." && lastc === ".") {
      if (chars[i - 2] === "/" && (i + 1 === chars.length || chars[i + 1] === "/")) return false
    } else if (c === ".") {
      if (chars[i - 1] === "/" && (i + 1 === chars.length || chars[i + 1] === "/")) return false
    } else if (
      (c > "\u0000" && c <= "\u001f") ||
      (c >= "\u007f" && c <= "\u009F") ||
      (c >= "\ud800" && c <= "\uf8ff") ||
      (c >= "\ufff0" && c <= "\uffff")
    ) {
      return false
    }
  }
  return true
}

const oneOf = <A>(choices: ReadonlyArray<A>): Arbitrary.Arbitrary<A> =>
  Arbitrary.map(
    Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: choices.length - 1 }))),
    (index) => choices[index]!
  )

const strings = (item: Arbitrary.Arbitrary<string>, maxLength: number): Arbitrary.Arbitrary<string> =>
  Arbitrary.map(Arbitrary.array(item, { minLength: 0, maxLength }), (parts) => parts.join(""))

/** Put in front: short, long and very long paths are judged in different ways. */
const parents = ["", `/${"p".repeat(30)}`, `/${"p".repeat(2000)}`]

/** At the edges of the ranges that no path may have. */
const units = ["\u0000", "\u001f", "\u007f", "\u00a0", "\ud7ff", "\ue000", "\uffef", "\ufff0"]

/** Strings in which the rules of paths are often broken and often kept. */
const nearPaths = Arbitrary.map(
  Arbitrary.all([oneOf(["/", "/", "/", ""]), strings(oneOf(["/", "/", ".", ".", "..", "a", "b-", " ", ...units]), 8)]),
  ([start, rest]) => start + rest
)

const names = Arbitrary.map(strings(oneOf(["a", "b", ".", "-", "0", " ", "é", "\uf900"]), 5), (text) => `n${text}`)
const paths = Arbitrary.map(Arbitrary.array(names, { minLength: 0, maxLength: 5 }), (parts) => `/${parts.join("/")}`)
const chroots = Arbitrary.map(paths, (path) => (path === "/" ? "" : path))
const int32 = Arbitrary.map(
  Arbitrary.all([
    Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: -2147483648, maximum: 2147483647 }))),
    oneOf([undefined, undefined, 0, 1, -1, -5, 999999999, 2147483647, -2147483648, -999999999, -1000000000, 2147483646])
  ]),
  ([random, edge]) => edge ?? random
)
const prefixes = Arbitrary.map(
  Arbitrary.all([paths, oneOf(["", "lock-", "-", "--", "1", "0000000001", "-000000001", "x-2147483648"])]),
  ([path, end]) => ZnodePath.join(path, end)
)

describe("validate", () => {
  const dots = ["/...", "/.a", "/a.", "/a..", "/..a", "/.a/..b/c.."]
  const punctuation = ["/a b", "/a:b", "/100%", "/a\\b", "/~", "/'\"", "/*", "/#", "/-"]
  const edges = ["/\u00a0", "/\ud7ff", "/\uf900", "/\uffef", "/\u007e", "/\u0020"]
  for (const path of ["/", "/a", "/a/b", "/zookeeper/config", ...dots, ...punctuation, ...edges]) {
    it(`accepts ${JSON.stringify(path)}`, () => {
      assert.strictEqual(ZnodePath.check(path), undefined)
      assert.deepStrictEqual(ZnodePath.validate(path), Result.succeed(path))
    })
  }

  for (const [path, rule] of [
    ["", "empty"],
    ["a", 'start with "/"'],
    [".", 'start with "/"'],
    ["/a/", 'end with "/"'],
    ["//", 'end with "/"'],
    ["//a", "empty name (at 1)"],
    ["/a//b", "empty name (at 3)"],
    ["/.", "relative"],
    ["/..", "relative"],
    ["/./a", "relative"],
    ["/a/../b", "relative"],
    ["/a/.", "(at 3)"],
    ["/a/..", "(at 3)"],
    ["/a\u0000", "U+0000 (at 2)"],
    ["/\u0001", "U+0001"],
    ["/\u001f", "U+001F"],
    ["/\u007f", "U+007F"],
    ["/\u009f", "U+009F"],
    ["/\ud800", "U+D800"],
    ["/😀", "U+D83D"],
    ["/\uf8ff", "U+F8FF"],
    ["/\ufff0", "U+FFF0"],
    ["/\uffff", "U+FFFF"]
  ] as const) {
    it(`rejects ${JSON.stringify(path)} and says why`, () => {
      const error = Result.getOrThrow(Result.flip(ZnodePath.validate(path, "target")))
      assert.deepInclude({ ...error }, { _tag: "InvalidArgument", argument: "target", value: path })
      assert.include(error.message, rule)
    })
  }

  it("rejects what is not a string instead of throwing", () => {
    assert.strictEqual(ZnodePath.check(undefined as unknown as string), "a path must be a string")
    assert.isTrue(Result.isFailure(ZnodePath.validate(null as unknown as string)))
  })

  it("judges every UTF-16 unit as PathUtils does", () => {
    for (let code = 0; code <= 0xffff; code++) {
      for (const parent of parents.slice(0, 2)) {
        const path = `${parent}/a${String.fromCharCode(code)}b`
        assert.strictEqual(ZnodePath.check(path) === undefined, pathUtilsAccepts(path), `U+${code.toString(16)}`)
      }
    }
  })

  it.prop(
    "agrees with PathUtils on strings that are nearly paths",
    [nearPaths],
    ([path]) => {
      for (const parent of parents) {
        assert.strictEqual(ZnodePath.check(parent + path) === undefined, pathUtilsAccepts(parent + path))
      }
    },
    { arbitrary: { runs: 2000 } }
  )

  it.prop(
    "judges a sequential prefix as PathUtils judges it with a digit behind",
    [nearPaths],
    ([path]) => {
      for (const parent of parents) {
        const prefix = parent + path
        assert.strictEqual(ZnodePath.checkSequential(prefix) === undefined, pathUtilsAccepts(`${prefix}1`))
      }
    },
    { arbitrary: { runs: 2000 } }
  )

  it("accepts as sequential prefixes what no path may end in", () => {
    for (const path of ["/", "/a/", "/a/.", "/a/..", "/.", "/.."]) {
      assert.deepStrictEqual(ZnodePath.validateSequential(path), Result.succeed(path))
    }
    for (const path of ["", "a", "//", "/a//", "/../", "/./a", "/\u0000"]) {
      assert.isTrue(Result.isFailure(ZnodePath.validateSequential(path)), path)
    }
  })

  it.prop("no function throws, whatever the strings", [Schema.String, Schema.String], ([a, b]) => {
    ZnodePath.check(a)
    ZnodePath.validateSequential(a)
    ZnodePath.join(a, b)
    ZnodePath.parent(a)
    ZnodePath.name(a)
    ZnodePath.ancestors(a)
    ZnodePath.normalizeChroot(a)
    ZnodePath.toServer(a, b)
    ZnodePath.toServerSequential(a, b)
    ZnodePath.toClient(a, b)
    ZnodePath.isUnder(a, b)
    ZnodePath.sequence(a, b)
    ZnodePath.splitSequence(a)
  })
})

describe("parts", () => {
  it("takes a path apart", () => {
    assert.strictEqual(ZnodePath.parent("/"), undefined)
    assert.strictEqual(ZnodePath.parent("/a"), "/")
    assert.strictEqual(ZnodePath.parent("/a/b"), "/a")
    assert.strictEqual(ZnodePath.parent("/a/"), "/a")
    assert.strictEqual(ZnodePath.name("/"), "")
    assert.strictEqual(ZnodePath.name("/a"), "a")
    assert.strictEqual(ZnodePath.name("/a/b"), "b")
    assert.deepStrictEqual(ZnodePath.ancestors("/"), [])
    assert.deepStrictEqual(ZnodePath.ancestors("/a"), ["/"])
    assert.deepStrictEqual(ZnodePath.ancestors("/a/b/c"), ["/", "/a", "/a/b"])
  })

  it("joins at the root without a second slash", () => {
    assert.strictEqual(ZnodePath.join("/", "a"), "/a")
    assert.strictEqual(ZnodePath.join("/a", "b/c"), "/a/b/c")
    assert.strictEqual(ZnodePath.join("/a", ""), "/a/")
  })

  it.prop("join is undone by parent and name", [paths, names], ([path, name]) => {
    const joined = ZnodePath.join(path, name)
    assert.strictEqual(ZnodePath.check(joined), undefined)
    assert.strictEqual(ZnodePath.parent(joined), path)
    assert.strictEqual(ZnodePath.name(joined), name)
  })

  it.prop("ancestors are the parents, the nearest last", [paths], ([path]) => {
    const parents: Array<string> = []
    for (let up = ZnodePath.parent(path); up !== undefined; up = ZnodePath.parent(up)) parents.unshift(up)
    assert.deepStrictEqual(ZnodePath.ancestors(path), parents)
  })
})

describe("chroot", () => {
  it("has no chroot for the empty string and the root", () => {
    assert.deepStrictEqual(ZnodePath.normalizeChroot(""), Result.succeed(""))
    assert.deepStrictEqual(ZnodePath.normalizeChroot("/"), Result.succeed(""))
    assert.deepStrictEqual(ZnodePath.normalizeChroot("/app/x"), Result.succeed("/app/x"))
    const wrong = ZnodePath.normalizeChroot("/app/")
    assert.isTrue(Result.isFailure(wrong) && wrong.failure.argument === "chroot")
    assert.isTrue(Result.isFailure(ZnodePath.normalizeChroot("app")))
  })

  it("maps the client's root to the chroot itself", () => {
    assert.strictEqual(ZnodePath.toServer("/app", "/"), "/app")
    assert.strictEqual(ZnodePath.toServer("/app", "/a"), "/app/a")
    assert.strictEqual(ZnodePath.toServer("", "/a"), "/a")
    assert.strictEqual(ZnodePath.toServer("/", "/a"), "/a")
    assert.strictEqual(ZnodePath.toClient("/app", "/app"), "/")
  })

  it("strips at the boundary of a component only", () => {
    assert.strictEqual(ZnodePath.toClient("/a", "/a/b"), "/b")
    assert.strictEqual(ZnodePath.toClient("/a", "/ab"), undefined)
    assert.strictEqual(ZnodePath.toClient("/a", "/ab/c"), undefined)
    assert.strictEqual(ZnodePath.toClient("/a", "/"), undefined)
    assert.strictEqual(ZnodePath.toClient("/a", "/zookeeper/config"), undefined)
    assert.strictEqual(ZnodePath.toClient("", "/ab"), "/ab")
    assert.isTrue(ZnodePath.isUnder("/a", "/a"))
    assert.isTrue(ZnodePath.isUnder("/a", "/a/b"))
    assert.isFalse(ZnodePath.isUnder("/a", "/ab"))
    assert.isTrue(ZnodePath.isUnder("", "/ab"))
    assert.isTrue(ZnodePath.isUnder("/", "/ab"))
  })

  it("keeps a sequential child of the client's root inside the chroot", () => {
    const server = ZnodePath.toServerSequential("/app", "/") + ZnodePath.formatSequence(0)
    assert.strictEqual(server, "/app/0000000000")
    assert.strictEqual(ZnodePath.toClient("/app", server), "/0000000000")
    assert.strictEqual(ZnodePath.toServerSequential("", "/"), "/")
    assert.strictEqual(ZnodePath.toServerSequential("/app", "/q/"), "/app/q/")
  })

  it.prop("toClient undoes toServer", [chroots, paths], ([chroot, path]) => {
    const server = ZnodePath.toServer(chroot, path)
    assert.strictEqual(ZnodePath.check(server), undefined)
    assert.isTrue(ZnodePath.isUnder(chroot, server))
    assert.strictEqual(ZnodePath.toClient(chroot, server), path)
  })

  it.prop("a path that is not below the chroot is foreign", [chroots, paths], ([chroot, path]) => {
    const under = path === chroot || ZnodePath.ancestors(path).includes(chroot === "" ? "/" : chroot) || chroot === ""
    assert.strictEqual(ZnodePath.toClient(chroot, path) !== undefined, under)
  })
})

describe("sequences", () => {
  const table: ReadonlyArray<readonly [number, string]> = [
    [0, "0000000000"],
    [7, "0000000007"],
    [2147483647, "2147483647"],
    [-2147483648, "-2147483648"],
    [-1000000000, "-1000000000"],
    [-999999999, "-999999999"],
    [-5, "-000000005"],
    [-1, "-000000001"]
  ]

  for (const [value, text] of table) {
    it(`writes and reads ${value} as ${text}`, () => {
      assert.strictEqual(ZnodePath.formatSequence(value), text)
      for (const prefix of ["/q/", "/locks/lock-", "/a/--", "/n1", "lock-", ""]) {
        assert.strictEqual(ZnodePath.sequence(prefix + text, prefix), value)
      }
      assert.strictEqual(ZnodePath.sequence(`/locks/lock-${text}`, "lock-"), value)
      assert.strictEqual(ZnodePath.sequence(`/locks/${text}`, ""), value)
      assert.strictEqual(ZnodePath.sequence(`/locks/_c_5e0c-lock-${text}`, "lock-"), value)
      assert.strictEqual(ZnodePath.sequence(`_c_5e0c-lock-${text}`, "lock-"), value)
    })
  }

  it("reads no number that a server would not write", () => {
    const lengths = ["", "1", "000000001", "00000000001", "-0000000005", "-00000005"]
    const ranges = ["2147483648", "9999999999", "-2147483649", "-000000000"]
    const others = ["--000000005", "000000000a", "+000000001", " 000000001", "0000000001/", "x0000000001"]
    for (const text of [...lengths, ...ranges, ...others]) {
      assert.strictEqual(ZnodePath.sequence(`/q/n${text}`, "/q/n"), undefined, text)
    }
    assert.strictEqual(ZnodePath.sequence("/q/other-0000000001", "lock-"), undefined)
    assert.strictEqual(ZnodePath.sequence("/q/x0000000001", ""), undefined)
  })

  it.prop("are found after a known prefix, whatever it ends in", [prefixes, int32], ([prefix, value]) => {
    const path = prefix + ZnodePath.formatSequence(value)
    assert.strictEqual(ZnodePath.sequence(path, prefix), value)
    assert.strictEqual(ZnodePath.sequence(ZnodePath.name(path), ZnodePath.name(prefix)), value)
  })

  it.prop("are split off an unknown prefix, but for the dash of ten digits", [paths, int32], ([path, value]) => {
    const prefix = `${path}n`
    const ambiguous = value <= -1000000000 && value > -2147483648
    assert.deepStrictEqual(ZnodePath.splitSequence(prefix + ZnodePath.formatSequence(value)), {
      prefix: ambiguous ? `${prefix}-` : prefix,
      sequence: ambiguous ? -value : value
    })
  })

  it.prop("split into a prefix and a number that make the path again", [prefixes, int32], ([prefix, value]) => {
    const path = prefix + ZnodePath.formatSequence(value)
    const split = ZnodePath.splitSequence(path)
    assert.isDefined(split)
    assert.strictEqual(split.prefix + ZnodePath.formatSequence(split.sequence), path)
  })

  it("split after a dash as nearly all nodes are meant", () => {
    assert.deepStrictEqual(ZnodePath.splitSequence("/q/lock-0000000001"), { prefix: "/q/lock-", sequence: 1 })
    assert.deepStrictEqual(ZnodePath.splitSequence("/q/lock--000000005"), { prefix: "/q/lock-", sequence: -5 })
    assert.deepStrictEqual(ZnodePath.splitSequence("/q/lock--2147483648"), {
      prefix: "/q/lock-",
      sequence: -2147483648
    })
    assert.deepStrictEqual(ZnodePath.splitSequence("/q/lock--1999999999"), {
      prefix: "/q/lock--",
      sequence: 1999999999
    })
    assert.deepStrictEqual(ZnodePath.splitSequence("0000000003"), { prefix: "", sequence: 3 })
    for (const path of ["/", "/q/lock-", "/q/lock-1", "/q/lock-000000000x", "000000003"]) {
      assert.strictEqual(ZnodePath.splitSequence(path), undefined, path)
    }
  })

  it("sort across the overflow in the order of creation", () => {
    const created = [2147483645, 2147483646, 2147483647, -2147483648, -2147483647, -2147483646]
    assert.deepStrictEqual([...created].reverse().sort(ZnodePath.compareSequence), created)
    const aroundZero = [-2, -1, 0, 1, 2]
    assert.deepStrictEqual([...aroundZero].reverse().sort(ZnodePath.compareSequence), aroundZero)
  })

  it.prop("compare by the way from one to the other, antisymmetrically", [int32, int32], ([start, other]) => {
    const step = Math.max(1, Math.abs(other | 0) % 2147483648)
    const later = (start + step) | 0
    assert.strictEqual(ZnodePath.compareSequence(start, later), -1)
    assert.strictEqual(ZnodePath.compareSequence(later, start), 1)
    assert.strictEqual(ZnodePath.compareSequence(start, start), 0)
    assert.strictEqual(ZnodePath.compareSequence(start, other) + ZnodePath.compareSequence(other, start), 0)
  })
})
