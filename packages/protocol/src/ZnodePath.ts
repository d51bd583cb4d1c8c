/**
 * Znode paths: the rules of ZooKeeper's `PathUtils`, the parts of a path, the chroot, and the numbers of sequential znodes.
 *
 * Every function is pure and takes plain strings. A path is a sequence of UTF-16 code units, as in Java: nothing is
 * normalised, and two paths are equal when their code units are equal. No function repairs a path: `/a//b` and `/a/` are
 * mistakes that deserve an error.
 *
 * `check`, `validate` and their `Sequential` variants test a path. All other functions expect a valid path; for others they
 * give a meaningless result, and never throw.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import { InvalidArgument } from "./InvalidArgument.ts"

/**
 * The path of a sequential znode, split before the number that the server has appended.
 *
 * @category models
 * @since 0.1.0
 */
export interface Sequenced {
  /** The part before the number, as in the create request. */
  readonly prefix: string
  /** The number, from the counter of the parent: a signed 32-bit integer, negative after 2147483647. */
  readonly sequence: number
}

/**
 * The rule that a path breaks; undefined for a valid path. See `validate` for the rules.
 *
 * It runs for every request: it takes one pass and allocates nothing for a valid path.
 *
 * @category validation
 * @since 0.1.0
 */
export const check = (path: string): string | undefined => scan(path, false)

/**
 * The rule that the path of a sequential create breaks; undefined for a valid path.
 *
 * The server appends digits before it checks the path, so `/a/`, `/a/.` and `/a/..` are valid here.
 *
 * @category validation
 * @since 0.1.0
 */
export const checkSequential = (path: string): string | undefined => scan(path, true)

/**
 * Succeeds with the path itself, or fails with `InvalidArgument` and the rule that the path breaks.
 *
 * **Details**
 *
 * A path starts with "/", does not end with "/" (except the root "/"), has no component that is empty, "." or "..", and has
 * no character of U+0000 to U+001F, U+007F to U+009F, U+D800 to U+F8FF (so none outside of the Basic Multilingual Plane,
 * which excludes emoji) or U+FFF0 to U+FFFF. Anything else is allowed. The only limit of length is the server's limit for a
 * whole request. `argument` is the name that the error shows.
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
 * The path of a znode below a parent. `name` may have several components. An empty name gives the parent and a "/": the
 * prefix of sequential znodes whose names are only a number.
 *
 * @category parts
 * @since 0.1.0
 */
export const join = (parent: string, name: string): string => (parent === "/" ? `/${name}` : `${parent}/${name}`)

/**
 * The path of the parent; undefined for "/".
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
 * The last component of a path, as `getChildren` of the parent lists it; "" for "/".
 *
 * @category parts
 * @since 0.1.0
 */
export const name = (path: string): string => path.slice(path.lastIndexOf("/") + 1)

/**
 * The paths of all ancestors, from "/" downwards: `/a/b` has "/" and "/a", and "/" has none.
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
 * The chroot in the form that the functions below expect: "" for no chroot, also for "/", or else a valid path. It fails
 * with `InvalidArgument` for an invalid path.
 *
 * @category chroot
 * @since 0.1.0
 */
export const normalizeChroot = (chroot: string, argument = "chroot"): Result.Result<string, InvalidArgument> =>
  chroot === "" || chroot === "/" ? noChroot : validate(chroot, argument)

/**
 * The path on the server of a path as a client sees it: "/" is the chroot itself.
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
 * The path on the server of the prefix of a sequential create.
 *
 * It differs from `toServer` only for "/": under the chroot "/app" the znode has to become "/app/0000000000", while "/app"
 * with a number appended would be a sibling of the chroot.
 *
 * @category chroot
 * @since 0.1.0
 */
export const toServerSequential = (chroot: string, prefix: string): string =>
  chroot.length <= 1 ? prefix : chroot + prefix

/**
 * The path as a client sees it of a path on the server; undefined for a path that is not under the chroot.
 *
 * The chroot ends at a component: with the chroot "/app", "/app" is "/", "/app/a" is "/a", and "/apple" is not under it.
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
 * Whether a path on the server is the chroot or below it. All paths are under the chroot "" (or "/").
 *
 * @category chroot
 * @since 0.1.0
 */
export const isUnder = (chroot: string, path: string): boolean =>
  chroot.length <= 1 ||
  (path.startsWith(chroot) && (path.length === chroot.length || path.charCodeAt(chroot.length) === slashCode))

/**
 * The text that a server appends for a value of the counter: Java's `%010d`.
 *
 * It has ten characters, a sign included, or eleven from -1000000000 downwards: "0000000007", "-000000005", "-2147483648".
 * `sequence` is taken as a signed 32-bit integer.
 *
 * @category sequences
 * @since 0.1.0
 */
export const formatSequence = (sequence: number): string => {
  const value = sequence | 0
  return value < 0 ? `-${String(-value).padStart(9, "0")}` : String(value).padStart(10, "0")
}

/**
 * The number of a sequential znode with a known prefix; undefined if no number follows the prefix.
 *
 * **Details**
 *
 * `path` is the result of `create` or a name from `getChildren`. `prefix` is the path of the create ("/locks/lock-"), its
 * name ("lock-"), or the part of the name before the number, so that a name with an id in front
 * ("_c_0f3a-lock-0000000001") can be used as it is. The whole text after the prefix must be a number exactly as the server
 * writes it; its sign is never mistaken for a "-" at the end of the prefix.
 *
 * **Gotchas**
 *
 * If the prefix consists of "-" only, and is neither the whole path nor the whole name before the number, the last "-" may
 * be a sign; it is taken as a part of the prefix.
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
  // Any text would match an empty prefix.
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
 * Compares the numbers of two sequential znodes in the order of their creation: -1 when `a` came before `b`, 1 when it came
 * after, 0 when they are equal. Use it to sort the children of a queue or lock.
 *
 * The counter wraps from 2147483647 to -2147483648, so numbers are compared by their distance (`(b - a) | 0`, as serial
 * numbers are) and not by size. That is right as long as the existing znodes are less than 2^31 creations apart.
 *
 * @category sequences
 * @since 0.1.0
 */
export const compareSequence = (a: number, b: number): -1 | 0 | 1 => {
  const distance = (b - a) | 0
  if (distance === 0) return 0
  // Half the circle apart, neither is earlier: the smaller one comes first, so that both directions agree.
  if (distance === minInt32) return a < b ? -1 : 1
  return distance > 0 ? -1 : 1
}

/**
 * Splits the number off a sequential znode with an unknown prefix; undefined if there is no number at the end.
 *
 * **When to use**
 *
 * Only when the prefix is not known, as in a tool that lists the znodes of other applications; otherwise use `sequence`.
 *
 * **Gotchas**
 *
 * The last ten digits are read as the number, and a "-" before them as a part of the prefix, since nearly all names look like
 * "lock-0000000001". After an overflow of the counter that is a guess: "lock--1999999999" may be the number -1999999999 of
 * "lock-" or the number 1999999999 of "lock--", and this function gives the latter. Nor can it tell a sequential znode from
 * a name that merely ends in ten digits, or in "-" and nine.
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

/** The lengths of a number; eleven only for a sign and ten digits. */
const numberWidths = [10, 11] as const

const noChroot: Result.Result<string, InvalidArgument> = Result.succeed("")

const toResult = (path: string, argument: string, rule: string | undefined): Result.Result<string, InvalidArgument> =>
  rule === undefined ? Result.succeed(path) : Result.fail(new InvalidArgument({ argument, value: String(path), rule }))

/**
 * Matches only valid paths: names of printable ASCII that do not begin with ".". A path that does not match may be valid
 * nevertheless.
 */
const plain = /^(?:\/[!-\-0-~][ -.0-~]*)+$/

/** From so many characters on, the expression takes half the time of the loop; below there is no difference. */
const LONG = 24

/** Longer paths are left to the loop, since the expression remembers every character that it has passed. */
const LONGEST = 1024

const scan = (path: string, sequential: boolean): string | undefined => {
  // Callers without types may pass undefined, which deserves a rule instead of a TypeError from the next line.
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
  // A number follows, so the text at the end is not a whole component yet.
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

/** Whether a code unit from U+007F upwards is forbidden. */
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
  // The server writes no "-000000000", and no zero in front of ten digits.
  const smallest = digits === 9 ? 1 : 1_000_000_000
  return value >= smallest && value <= -minInt32 ? -value : undefined
}
