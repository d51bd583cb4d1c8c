/**
 * Connect strings: which servers make up an ensemble, and which node is the root of what an application sees.
 *
 * ```
 * zk1:2181,zk2:2181,[2001:db8::3]:2181/app
 * ```
 *
 * Servers are separated by commas, with or without spaces around them. A port that is left out is 2181. An IPv6 address
 * stands in brackets. A server may say how it is spoken to, `tcp://zk1` or `tls://zk1:2281`. The chroot stands once,
 * after the last server. Nothing is resolved here, and the strings of ZooKeeper's later releases that ask DNS for the
 * servers (`dns-srv://`) are not understood.
 *
 * @since 0.1.0
 */
import * as InvalidArgument from "@effect-zookeeper/protocol/InvalidArgument"
import * as Printable from "@effect-zookeeper/protocol/Printable"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import type { NonEmptyReadonlyArray } from "effect/Array"
import * as Result from "effect/Result"
import * as ServerAddress from "./ServerAddress.ts"

/**
 * What a connect string says.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConnectString {
  /** In the order of the string. A server that is named twice stands here twice. */
  readonly servers: NonEmptyReadonlyArray<ServerAddress.ServerAddress>
  /** An absolute path without a "/" at its end; "/" when the string names none. */
  readonly chroot: string
}

/**
 * The port of a server whose connect string names none.
 *
 * @category constants
 * @since 0.1.0
 */
export const defaultPort = 2181

/**
 * Reads a connect string, or says which part of it breaks which rule.
 *
 * **Gotchas**
 *
 * A chroot that contains a comma is refused, though it may be a valid path: `zk1/app,zk2/app` is more likely to be a
 * mistake.
 *
 * @category parsing
 * @since 0.1.0
 */
export const parse = (connectString: string): Result.Result<ConnectString, InvalidArgument.InvalidArgument> => {
  // JavaScript may pass anything; what it is says more than what it holds, which may be a secret.
  if (typeof connectString !== "string") {
    const rule =
      connectString === undefined || connectString === null
        ? "name at least one server, as in zk1:2181,zk2:2181/app"
        : "must be a string, as zk1:2181,zk2:2181/app"
    return Result.fail(new InvalidArgument.InvalidArgument({ argument: "servers", value: kindOf(connectString), rule }))
  }
  const fail = (rule: string) =>
    Result.fail(new InvalidArgument.InvalidArgument({ argument: "servers", value: hideSecrets(connectString), rule }))

  const text = connectString.trim()
  if (text === "") return fail("name at least one server, as in zk1:2181,zk2:2181/app")
  // Before anything of it is quoted.
  if (userInfo.test(text)) {
    return fail(
      "a connect string has no user names; write zk1:2181 or, with a scheme, tcp://zk1:2181 or tls://zk1:2281, and give credentials by the option auth (or sasl)"
    )
  }

  const servers: Array<ServerAddress.ServerAddress> = []
  let start = 0
  while (true) {
    const end = endOfServer(text, start)
    const server = parseServer(text.slice(start, end).trim())
    if (typeof server === "string") return fail(server)
    servers.push(server)
    if (text[end] === ",") {
      start = end + 1
      continue
    }
    const chroot = end === text.length ? "/" : text.slice(end)
    const broken = checkChroot(chroot)
    if (broken !== undefined) return fail(broken)
    const [first, ...others] = servers
    // The loop has pushed one at least; the compiler cannot know.
    return first === undefined
      ? fail("name at least one server")
      : Result.succeed({ servers: [first, ...others], chroot })
  }
}

/**
 * Writes a connect string that `parse` reads back: every port is named, the chroot "/" is left out.
 *
 * @category formatting
 * @since 0.1.0
 */
export const format = (connectString: ConnectString): string =>
  connectString.servers.map(ServerAddress.format).join(",") + (connectString.chroot === "/" ? "" : connectString.chroot)

/** The index of the comma or of the chroot's "/" that ends the server at `start`, past the "//" of its scheme. */
const endOfServer = (text: string, start: number): number => {
  for (let i = start; i < text.length; i++) {
    const char = text[i]
    if (char === ",") return i
    if (char === "/") {
      if (text[i - 1] !== ":" || text[i + 1] !== "/") return i
      i++
    }
  }
  return text.length
}

/** What precedes an "@" among the servers: a user's name, and perhaps a password. */
const userInfo = /^[^/]*@|:\/\/[^/]*@/

/** The text without what may be a secret: user names with passwords, and the values of a query. */
const hideSecrets = (text: string): string =>
  text.replaceAll(/(^|[,;\s]|:\/\/)[^,;\s/@]*@/g, "$1<hidden>@").replaceAll(/([?&][^=&\s]*)=[^&\s]*/g, "$1=<hidden>")

const kindOf = (value: unknown): string =>
  value === null || value === undefined
    ? ""
    : typeof value === "object"
      ? (value.constructor?.name ?? "object")
      : typeof value

/** The server, or the rule that its text breaks. */
const parseServer = (text: string): ServerAddress.ServerAddress | string => {
  if (text === "") return "there is nothing where a server should stand; remove the comma or name a host"
  if (/[\s;|]/.test(text) && text.split(/[\s;|]+/).every((part) => looksLikeServer.test(part))) {
    return `separate servers by a comma, as in zk1:2181,zk2:2181, not as in ${quote(text)}`
  }
  const separator = text.indexOf("://")
  if (separator === -1) return parseHostAndPort(text, text)
  const scheme = text.slice(0, separator).toLowerCase()
  if (scheme !== "tcp" && scheme !== "tls") {
    return `unknown scheme ${quote(text.slice(0, separator))} in ${quote(text)}; use tcp:// or tls://, or none, and separate servers by commas`
  }
  const server = parseHostAndPort(text.slice(separator + 3), text)
  return typeof server === "string" ? server : { ...server, scheme }
}

/** One server, or the port of one: `zk1; 2182` is more likely two servers than a host name. */
const looksLikeServer = /^(?:tcp:\/\/|tls:\/\/)?(?:\[[0-9a-fA-F:.%]+\]|[\p{L}\p{M}\p{N}._-]+)(?::[0-9]{1,5})?$/iu

const parseHostAndPort = (text: string, whole: string): ServerAddress.ServerAddress | string => {
  let host: string
  let port: string | undefined
  if (text.startsWith("[")) {
    const close = text.indexOf("]")
    if (close === -1) return `the bracket of ${quote(whole)} is not closed; write [::1]:2181`
    host = text.slice(1, close)
    if (!isIPv6(host)) return `${quote(host)} in ${quote(whole)} is not an IPv6 address`
    const tail = text.slice(close + 1)
    if (tail !== "" && !tail.startsWith(":")) {
      return `expected ":" and a port after the bracket of ${quote(whole)}, not ${quote(tail)}`
    }
    port = tail === "" ? undefined : tail.slice(1)
  } else {
    const colon = text.indexOf(":")
    if (colon !== text.lastIndexOf(":")) {
      return `${quote(whole)} has more than one ":"; an IPv6 address stands in brackets, as in [::1]:2181`
    }
    host = colon === -1 ? text : text.slice(0, colon)
    port = colon === -1 ? undefined : text.slice(colon + 1)
    if (host === "") return `the host is missing in ${quote(whole)}`
    if (!hostPattern.test(host)) {
      return `${quote(host)} is not a host name; it has letters, digits, ".", "-" and "_"`
    }
  }
  if (port === undefined) return { host, port: defaultPort }
  const number = /^[0-9]{1,5}$/.test(port) ? Number(port) : 0
  if (number < 1 || number > 65535) {
    return `${quote(port)} in ${quote(whole)} is not a port; a port is a number from 1 to 65535`
  }
  return { host, port: number }
}

// One character class each: time is linear in the length, whatever the string.
const hostPattern = /^[\p{L}\p{M}\p{N}._-]+$/u
const hexPattern = /^[0-9a-fA-F:.]+$/
const zonePattern = /^[0-9A-Za-z._-]+$/

/** The platform's URL parser knows what an IPv6 address is; a zone (`fe80::1%eth0`) is none of its business. */
const isIPv6 = (text: string): boolean => {
  const percent = text.indexOf("%")
  const address = percent === -1 ? text : text.slice(0, percent)
  return (
    address.length <= 45 &&
    hexPattern.test(address) &&
    URL.canParse(`http://[${address}]`) &&
    (percent === -1 || zonePattern.test(text.slice(percent + 1)))
  )
}

const quote = (text: string): string => Printable.quote(hideSecrets(text))

const checkChroot = (chroot: string): string | undefined => {
  if (chroot.includes(",")) {
    return `the chroot ${quote(chroot)} has a comma; the chroot stands once, after the last server`
  }
  const broken = ZnodePath.check(chroot)
  return broken === undefined ? undefined : `bad chroot ${quote(chroot)}: ${broken}`
}
