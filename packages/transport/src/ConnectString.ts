/**
 * Connect strings: the servers of an ensemble, and the znode that is the root of everything an application sees.
 *
 * ```
 * zk1:2181,zk2:2181,[2001:db8::3]:2181/app
 * ```
 *
 * Servers are separated by commas, with or without spaces around them. The default port is 2181. An IPv6 address is in
 * brackets. A server may name its protocol, `tcp://zk1` or `tls://zk1:2281`. The chroot comes once, after the last server.
 * Nothing is resolved here.
 *
 * `dns+srv://_zookeeper._tcp.example/app` names the servers by an SRV record of DNS instead; `parseSrv` reads it, and sessions
 * look it up again from time to time. ZooKeeper's own spelling, `dns-srv://`, means the same.
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
 * A connect string in its parts.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConnectString {
  /** In the order of the string. A server that is named twice is here twice. */
  readonly servers: NonEmptyReadonlyArray<ServerAddress.ServerAddress>
  /** An absolute path without a "/" at its end; "/" when the string has no chroot. */
  readonly chroot: string
}

/**
 * The port of a server that is written without one: 2181.
 *
 * @category constants
 * @since 0.1.0
 */
export const defaultPort = 2181

/**
 * Reads a connect string. It fails with `InvalidArgument`, which names the part that is wrong and the rule that it breaks;
 * user names, passwords and query values in it are hidden.
 *
 * **Gotchas**
 *
 * A chroot that contains a comma is refused, though it may be a valid path: `zk1/app,zk2/app` is more likely to be a
 * mistake.
 *
 * @example
 * ```ts
 * import * as ConnectString from "@effect-zookeeper/transport/ConnectString"
 * import * as Result from "effect/Result"
 *
 * const parsed = ConnectString.parse("zk1,tls://zk2:2281/app")
 * if (Result.isSuccess(parsed)) {
 *   const { chroot, servers } = parsed.success
 *   console.log(chroot, servers.length) // /app 2
 * }
 * ```
 *
 * @category parsing
 * @since 0.1.0
 */
export const parse = (connectString: string): Result.Result<ConnectString, InvalidArgument.InvalidArgument> => {
  // JavaScript may pass anything. The error names its type and not its value, which may be a secret.
  if (typeof connectString !== "string") {
    const rule =
      connectString === undefined || connectString === null
        ? "name at least one server, as in zk1:2181,zk2:2181/app"
        : "must be a string, as zk1:2181,zk2:2181/app"
    return Result.fail(new InvalidArgument.InvalidArgument({ argument: "servers", value: kindOf(connectString), rule }))
  }
  const text = connectString.trim()
  // What precedes an "@" may be a password with any character in it, and may be the beginning of a chroot.
  const name = text.includes("@") ? hide : quote
  const fail = (rule: string) =>
    Result.fail(
      new InvalidArgument.InvalidArgument({
        argument: "servers",
        value: hideSecrets(connectString),
        rule: name === hide && rule !== noUserNames ? `${rule}; if a password ends at the "@": ${noUserNames}` : rule
      })
    )

  if (srvScheme.test(text)) {
    return fail(
      "dns+srv:// stands for a whole list, in the option servers alone; name the servers here, as in zk1:2181"
    )
  }
  if (text === "") return fail("name at least one server, as in zk1:2181,zk2:2181/app")
  if (userInfo.test(text)) return fail(noUserNames)

  const servers: Array<ServerAddress.ServerAddress> = []
  let start = 0
  while (true) {
    const end = endOfServer(text, start)
    const server = parseServer(text.slice(start, end).trim(), name)
    if (typeof server === "string") return fail(server)
    servers.push(server)
    if (text[end] === ",") {
      start = end + 1
      continue
    }
    const chroot = end === text.length ? "/" : text.slice(end)
    const broken = checkChroot(chroot, name)
    if (broken !== undefined) return fail(broken)
    const [first, ...others] = servers
    // The loop has pushed at least one; the compiler cannot know.
    return first === undefined
      ? fail("name at least one server")
      : Result.succeed({ servers: [first, ...others], chroot })
  }
}

/**
 * The name of an SRV record of DNS in place of a list of servers.
 *
 * @category models
 * @since 0.1.0
 */
export interface SrvName {
  /** Such as `_zookeeper._tcp.example`. */
  readonly name: string
  /** As that of a `ConnectString`. */
  readonly chroot: string
}

/**
 * Reads a connect string of the form `dns+srv://_zookeeper._tcp.example/app`: one name, without a port, and an optional
 * chroot. It gives undefined for any other text, which is one for `parse`, and fails with `InvalidArgument` for a name or a
 * chroot that is not valid.
 *
 * @example
 * ```ts
 * import * as ConnectString from "@effect-zookeeper/transport/ConnectString"
 * import * as Result from "effect/Result"
 *
 * const srv = Result.getOrThrow(ConnectString.parseSrv("dns+srv://_zookeeper._tcp.example/app"))
 * console.log(srv?.name, srv?.chroot) // _zookeeper._tcp.example /app
 * ```
 *
 * @category parsing
 * @since 0.1.0
 */
export const parseSrv = (
  connectString: string
): Result.Result<SrvName | undefined, InvalidArgument.InvalidArgument> => {
  const text = typeof connectString === "string" ? connectString.trim() : ""
  const scheme = srvScheme.exec(text)
  if (scheme === null) return Result.succeed(undefined)
  const fail = (rule: string) =>
    Result.fail(new InvalidArgument.InvalidArgument({ argument: "servers", value: hideSecrets(text), rule }))
  const rest = text.slice(scheme[0].length)
  const slash = rest.indexOf("/")
  const name = slash === -1 ? rest : rest.slice(0, slash)
  if (!hostPattern.test(name) || name.length > 253) {
    return fail("after dns+srv:// comes one name and no port, as in dns+srv://_zookeeper._tcp.example/app")
  }
  const chroot = slash === -1 ? "/" : rest.slice(slash)
  const broken = checkChroot(chroot, rest.includes("@") ? hide : quote)
  return broken === undefined ? Result.succeed({ name, chroot }) : fail(broken)
}

const srvScheme = /^dns[+-]srv:\/\//i

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

/** Text before an "@" among the servers: a user name, and perhaps a password. */
const userInfo = /^[^/]*@|:\/\/[^/]*@/

const noUserNames =
  "a connect string has no user names; write zk1:2181 or, with a scheme, tcp://zk1:2181 or tls://zk1:2281, and give credentials by the option auth (or sasl)"

/** The text without anything that may be a secret: all before the last "@", and the values of a query. */
const hideSecrets = (text: string): string =>
  text
    .replace(/^(\s*[a-z][a-z0-9+.-]*:\/\/)?[^]*@/i, "$1<hidden>@")
    .replaceAll(/([?&][^=&\s]*)=[^&\s]*/g, "$1=<hidden>")

const kindOf = (value: unknown): string =>
  value === null || value === undefined
    ? ""
    : typeof value === "object"
      ? (value.constructor?.name ?? "object")
      : typeof value

/** The server, or the rule that its text breaks. */
const parseServer = (text: string, name: Name): ServerAddress.ServerAddress | string => {
  if (text === "") return "a server is missing; remove the comma or name a host"
  if (/[\s;|]/.test(text) && text.split(/[\s;|]+/).every((part) => looksLikeServer.test(part))) {
    return `separate servers by a comma, as in zk1:2181,zk2:2181, not as in ${name(text)}`
  }
  const separator = text.indexOf("://")
  if (separator === -1) return parseHostAndPort(text, text, name)
  const scheme = text.slice(0, separator).toLowerCase()
  if (scheme !== "tcp" && scheme !== "tls") {
    return `unknown scheme ${name(text.slice(0, separator))} in ${name(text)}; use tcp:// or tls://, or none, and separate servers by commas`
  }
  const server = parseHostAndPort(text.slice(separator + 3), text, name)
  return typeof server === "string" ? server : { ...server, scheme }
}

/** One server, or the port of one: `zk1; 2182` is more likely two servers than a host name. */
const looksLikeServer = /^(?:tcp:\/\/|tls:\/\/)?(?:\[[0-9a-fA-F:.%]+\]|[\p{L}\p{M}\p{N}._-]+)(?::[0-9]{1,5})?$/iu

const parseHostAndPort = (text: string, whole: string, name: Name): ServerAddress.ServerAddress | string => {
  let host: string
  let port: string | undefined
  if (text.startsWith("[")) {
    const close = text.indexOf("]")
    if (close === -1) return `the bracket of ${name(whole)} is not closed; write [::1]:2181`
    host = text.slice(1, close)
    if (!isIPv6(host)) return `${name(host)} in ${name(whole)} is not an IPv6 address`
    const tail = text.slice(close + 1)
    if (tail !== "" && !tail.startsWith(":")) {
      return `expected ":" and a port after the bracket of ${name(whole)}, not ${name(tail)}`
    }
    port = tail === "" ? undefined : tail.slice(1)
  } else {
    const colon = text.indexOf(":")
    if (colon !== text.lastIndexOf(":")) {
      return `${name(whole)} has more than one ":"; write an IPv6 address in brackets, as in [::1]:2181`
    }
    host = colon === -1 ? text : text.slice(0, colon)
    port = colon === -1 ? undefined : text.slice(colon + 1)
    if (host === "") return `the host is missing in ${name(whole)}`
    if (!hostPattern.test(host)) {
      return `${name(host)} is not a host name; it has letters, digits, ".", "-" and "_"`
    }
  }
  if (port === undefined) return { host, port: defaultPort }
  const number = /^[0-9]{1,5}$/.test(port) ? Number(port) : 0
  if (number < 1 || number > 65535) {
    return `${name(port)} in ${name(whole)} is not a port; a port is a number from 1 to 65535`
  }
  return { host, port: number }
}

// One character class each, so that the time is linear in the length of any string.
const hostPattern = /^[\p{L}\p{M}\p{N}._-]+$/u
const hexPattern = /^[0-9a-fA-F:.]+$/
const zonePattern = /^[0-9A-Za-z._-]+$/

/** The platform's URL parser judges the address; it does not accept a zone (`fe80::1%eth0`), which is checked here. */
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

/** How a rule names a part of the string. */
type Name = (text: string) => string

const quote: Name = (text) => Printable.quote(hideSecrets(text))

const hide: Name = () => "<hidden>"

const checkChroot = (chroot: string, name: Name): string | undefined => {
  if (chroot.includes(",")) {
    return `the chroot ${name(chroot)} has a comma; write the chroot once, after the last server`
  }
  const broken = ZnodePath.check(chroot)
  if (broken === undefined) return undefined
  // The rule of a path names the character that breaks it.
  return `bad chroot ${name(chroot)}: ${name === hide ? "it is not a valid path" : broken}`
}
