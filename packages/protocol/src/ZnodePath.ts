/**
 * Znode paths: the rules of ZooKeeper's `PathUtils`, their parts, the chroot, and the counter of sequential nodes.
 *
 * Every function is pure and takes plain strings. A path is a sequence of UTF-16 code units here as it is in Java:
 * nothing is normalised, nothing is folded, and two paths are equal when their code units are. What no function does is
 * to repair a path: a caller who writes `/a//b` or `/a/` made a mistake that is worth an error.
 *
 * `check`, `validate` and their `Sequential` siblings judge a path; all others expect one that has been judged, never
 * throw, and give an answer without a meaning for anything else.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import { InvalidArgument } from "./InvalidArgument.ts"

/**
 * A path that ends in the number that a server gave to a sequential node.
 *
 * @category models
 * @since 0.1.0
 */
export interface Sequenced {
  /** All before the number, as the node was asked for. */
  readonly prefix: string
  /** The value of the parent's counter: a signed 32-bit integer, negative after 2147483647. */
  readonly sequence: number
}

/**
 * The rule that a path breaks, or undefined for a valid one.
 *
 * It runs for every request: one pass, and nothing is allocated for a valid path.
 *
 * @category validation
 * @since 0.1.0
 */
export const check = (path: string): string | undefined => scan(path, false)

/**
 * The rule that the path of a sequential create breaks, or undefined for a valid one.
 *
 * The server appends digits before it judges, so `/a/`, `/a/.` and `/a/..` are fine here.
 *
 * @category validation
 * @since 0.1.0
 */
export const checkSequential = (path: string): string | undefined => scan(path, true)

/**
 * Succeeds with the path itself, or fails with the rule that it breaks.
 *
 * **Details**
 *
 * A path starts with "/", does not end with "/" (but for "/" alone), has no empty component and none that is "." or
 * "..", and has no character of U+0000 to U+001F, U+007F to U+009F, U+D800 to U+F8FF (so none outside of the Basic
 * Multilingual Plane, emoji included) or U+FFF0 to U+FFFF. All else is allowed, and there is no limit of length but the
 * server's limit for a whole request. `argument` is the name that the error shows.
 *
 * @category validation
 * @since 0.1.0
 */
export const validate = (path: string, argument = "path"): Result.Result<string, InvalidArgument> =>
  toResult(path, argument, check(path))

/**
 * Like `validate`, for the path of a sequential create: see `checkSequential`.
 *
 * @category validation
 * @since 0.1.0
 */
export const validateSequential = (path: string, argument = "path"): Result.Result<string, InvalidArgument> =>
  toResult(path, argument, checkSequential(path))

/**
 * The path of a node below a parent. `name` may have several components; an empty one gives the parent and a "/": the
 * prefix of sequential nodes whose names are nothing but a number.
 *
 * @category parts
 * @since 0.1.0
 */
export const join = (parent: string, name: string): string => (parent === "/" ? `/${name}` : `${parent}/${name}`)

/**
 * The path of the node above, or undefined for "/", which has none.
 *
 * @category parts
 * @since 0.1.0
 */
export const parent = (path: string): string | undefined => {
  if (path === "/") return undefined
  const slash = path.lastIndexOf("/")
  return slash <= 0 ? "/" : path.slice(0, slash)
}

/**
 * The last component, as `getChildren` of the parent lists it: "" for "/".
 *
 * @category parts
 * @since 0.1.0
 */
export const name = (path: string): string => path.slice(path.lastIndexOf("/") + 1)

/**
 * All nodes above a path, from "/" downwards and without the path itself: `/a/b` has "/" and "/a", "/" has none.
 *
 * @category parts
 * @since 0.1.0
 */
export const ancestors = (path: string): ReadonlyArray<string> => {
  if (path === "/") return []
  const found = ["/"]
  for (let slash = path.indexOf("/", 1); slash !== -1; slash = path.indexOf("/", slash + 1)) {
    found.push(path.slice(0, slash))
  }
  return found
}

/**
 * The chroot that the functions below expect: "" for none, which is also what "/" means, or else a valid path.
 *
 * @category chroot
 * @since 0.1.0
 */
export const normalizeChroot = (chroot: string, argument = "chroot"): Result.Result<string, InvalidArgument> =>
  chroot === "" || chroot === "/" ? noChroot : validate(chroot, argument)

/**
 * The server's name of a client's path: "/" is the chroot itself.
 *
 * **Gotchas**
 *
 * The prefix of a sequential create needs `toServerSequential`.
 *
 * @category chroot
 * @since 0.1.0
 */
export const toServer = (chroot: string, path: string): string =>
  chroot.length <= 1 ? path : path === "/" ? chroot : chroot + path

/**
 * The server's name of the prefix of a sequential create.
 *
 * It differs from `toServer` for "/" alone: under the chroot "/app" the node has to become "/app/0000000000", while
 * "/app" with a number appended would be a sibling of the chroot.
 *
 * @category chroot
 * @since 0.1.0
 */
export const toServerSequential = (chroot: string, prefix: string): string =>
  chroot.length <= 1 ? prefix : chroot + prefix

/**
 * The client's name of a server's path, or undefined for a path that is not under the chroot.
 *
 * The chroot ends at a component: "/app" is "/", "/app/a" is "/a", and "/apple" is foreign.
 *
 * @category chroot
 * @since 0.1.0
 */
export const toClient = (chroot: string, serverPath: string): string | undefined => {
  if (chroot.length <= 1) return serverPath
  if (!isUnder(chroot, serverPath)) return undefined
  return serverPath.length === chroot.length ? "/" : serverPath.slice(chroot.length)
}

/**
 * Whether a server's path is the chroot or below it. All are under the chroot "" (or "/").
 *
 * @category chroot
 * @since 0.1.0
 */
export const isUnder = (chroot: string, path: string): boolean =>
  chroot.length <= 1 ||
  (path.startsWith(chroot) && (path.length === chroot.length || path.charCodeAt(chroot.length) === slashCode))

/**
 * The number that a server appends for a value of its counter: Java's `%010d`.
 *
 * It has ten characters, the sign included, or eleven from -1000000000 downwards: "0000000007", "-000000005",
 * "-2147483648". `sequence` is taken as a signed 32-bit integer.
 *
 * @category sequences
 * @since 0.1.0
 */
export const formatSequence = (sequence: number): string => {
  const value = sequence | 0
  return value < 0 ? `-${String(-value).padStart(9, "0")}` : String(value).padStart(10, "0")
}

/**
 * The number of a sequential node whose prefix is known, or undefined when there is no such number after it.
 *
 * **Details**
 *
 * `path` is what `create` returned or a name out of `getChildren`. `prefix` is what was asked for, as a path
 * ("/locks/lock-"), as a name ("lock-"), or as the part of a name that stands before the number, so that a name with an
 * id in front ("_c_0f3a-lock-0000000001") needs no care. The whole text after the prefix has to be a number exactly as
 * the server writes it; its sign is never mistaken for a "-" at the end of the prefix.
 *
 * **Gotchas**
 *
 * A prefix made of nothing but "-" that is neither the whole path nor the whole name before the number leaves open whose
 * the last "-" is; it is taken as the prefix's.
 *
 * @category sequences
 * @since 0.1.0
 */
export const sequence = (path: string, prefix: string): number | undefined => {
  if (path.startsWith(prefix)) {
    const found = parseSequence(path, prefix.length)
    if (found !== undefined) return found
  }
  const nameStart = path.lastIndexOf("/") + 1
  if (nameStart > 0 && path.startsWith(prefix, nameStart)) {
    const found = parseSequence(path, nameStart + prefix.length)
    if (found !== undefined) return found
  }
  // With nothing to look for, anything would match.
  if (prefix === "") return undefined
  for (const width of numberWidths) {
    const end = path.length - width
    if (end >= prefix.length && path.startsWith(prefix, end - prefix.length)) {
      const found = parseSequence(path, end)
      if (found !== undefined) return found
    }
  }
  return undefined
}

/**
 * The order in which a parent handed out two numbers: -1 when `a` came before `b`, 1 when after, 0 when they are one.
 *
 * The counter wraps from 2147483647 to -2147483648, so numbers are compared by the way from one to the other (`(b - a) |
 * 0`, as serial numbers are) and not by size. That is right as long as the living nodes are less than 2^31 creations
 * apart; it is an order over such nodes, not over all numbers at once.
 *
 * @category sequences
 * @since 0.1.0
 */
export const compareSequence = (a: number, b: number): -1 | 0 | 1 => {
  const distance = (b - a) | 0
  if (distance === 0) return 0
  // Exactly half the circle apart neither is the earlier one: the smaller, so that both directions agree.
  if (distance === minInt32) return a < b ? -1 : 1
  return distance > 0 ? -1 : 1
}

/**
 * Splits off the number of a sequential node whose prefix is not known, or undefined when there is none at the end.
 *
 * **When to use**
 *
 * Only when the prefix cannot be known, as in a tool that lists other people's nodes; else `sequence`.
 *
 * **Gotchas**
 *
 * The last ten digits are read as the number, and a "-" before them as a part of the prefix, because "lock-0000000001"
 * is what nearly all nodes look like. After the counter's overflow that is a guess: "lock--1999999999" is the node
 * -1999999999 of "lock-" as well as the node 1999999999 of "lock--", and the latter is what this function says. A name
 * that merely ends in ten digits, or in "-" and nine, cannot be told from a sequential one either.
 *
 * @category sequences
 * @since 0.1.0
 */
export const splitSequence = (path: string): Sequenced | undefined => {
  for (const width of numberWidths) {
    const end = path.length - width
    const found = end < 0 ? undefined : parseSequence(path, end)
    if (found !== undefined) return { prefix: path.slice(0, end), sequence: found }
  }
  return undefined
}

// ---- internal

const slashCode = 0x2f
const dotCode = 0x2e
const minInt32 = -2147483648
const maxInt32 = 2147483647

/** The lengths of a number: eleven only for a sign and ten digits. */
const numberWidths = [10, 11] as const

const noChroot: Result.Result<string, InvalidArgument> = Result.succeed("")

const toResult = (path: string, argument: string, rule: string | undefined): Result.Result<string, InvalidArgument> =>
  rule === undefined ? Result.succeed(path) : Result.fail(new InvalidArgument({ argument, value: String(path), rule }))

/**
 * Paths that are valid beyond doubt: names of printable ASCII that do not begin with a ".". What does not match may be valid
 * all the same.
 */
const plain = /^(?:\/[!-\-0-~][ -.0-~]*)+$/

/** Of so many characters the expression takes half the time of the loop, below there is no difference. */
const LONG = 24

/** An expression remembers every character that it has passed. */
const LONGEST = 1024

const scan = (path: string, sequential: boolean): string | undefined => {
  // Callers without types pass undefined; that deserves a rule and not a TypeError from the next line.
  if (typeof path !== "string") return "a path must be a string"
  const length = path.length
  if (length === 0) return 'a path must not be empty: the root is "/"'
  if (path.charCodeAt(0) !== slashCode) return 'a path must start with "/"'
  if (length >= LONG && length <= LONGEST && plain.test(path)) return undefined
  let start = 1
  for (let index = 1; index < length; index++) {
    const code = path.charCodeAt(index)
    if (code === slashCode) {
      if (index === start) {
        return index + 1 === length && !sequential ? endsWithSlash : `a path must not have an empty name (at ${index})`
      }
      const rule = checkRelative(path, start, index)
      if (rule !== undefined) return rule
      start = index + 1
    } else if (code < 0x20 || (code >= 0x7f && isForbidden(code))) {
      return `a path must not have the character ${codePointName(code)} (at ${index})`
    }
  }
  // A number follows: whatever stands at the end is not a whole component yet.
  if (sequential || length === 1) return undefined
  return start === length ? endsWithSlash : checkRelative(path, start, length)
}

const endsWithSlash = 'a path must not end with "/"'

const checkRelative = (path: string, start: number, end: number): string | undefined => {
  const length = end - start
  if (length > 2 || path.charCodeAt(start) !== dotCode) return undefined
  if (length === 2 && path.charCodeAt(start + 1) !== dotCode) return undefined
  return `a path must not be relative: no name may be "." or ".." (at ${start})`
}

/** Of the units from U+007F upwards. */
const isForbidden = (code: number): boolean => code <= 0x9f || (code >= 0xd800 && code <= 0xf8ff) || code >= 0xfff0

const codePointName = (code: number): string => `U+${code.toString(16).toUpperCase().padStart(4, "0")}`

/** Reads the number that fills the text from `start` to its end, if it is one that `formatSequence` writes. */
const parseSequence = (text: string, start: number): number | undefined => {
  const negative = text.charCodeAt(start) === 0x2d
  const first = negative ? start + 1 : start
  const digits = text.length - first
  if (digits !== 10 && !(negative && digits === 9)) return undefined
  let value = 0
  for (let index = first; index < text.length; index++) {
    const digit = text.charCodeAt(index) - 0x30
    if (digit < 0 || digit > 9) return undefined
    value = value * 10 + digit
  }
  if (!negative) return value <= maxInt32 ? value : undefined
  // No "-000000000", and no zero in front of ten digits.
  const smallest = digits === 9 ? 1 : 1_000_000_000
  return value >= smallest && value <= -minInt32 ? -value : undefined
}
