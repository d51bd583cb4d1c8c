/**
 * Everything that reads foreign text and numbers: connect strings, paths, ACLs, flags and codes, answers to four-letter
 * words, SASL tokens.
 *
 * Inputs are bytes here too; as text they are UTF-16, so that every string of JavaScript is one of them.
 */
import * as Acl from "@effect-zookeeper/protocol/Acl"
import * as CreateMode from "@effect-zookeeper/protocol/CreateMode"
import * as ErrorCode from "@effect-zookeeper/protocol/ErrorCode"
import { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as ServerError from "@effect-zookeeper/protocol/ServerError"
import * as WatchEvent from "@effect-zookeeper/protocol/WatchEvent"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import * as Sasl from "@effect-zookeeper/session/Sasl"
import { SaslError } from "@effect-zookeeper/session/SaslError"
import * as ConnectString from "@effect-zookeeper/transport/ConnectString"
import * as FourLetterWord from "@effect-zookeeper/transport/FourLetterWord"
import type { Transport } from "@effect-zookeeper/transport/Transport"
import { TransportError } from "@effect-zookeeper/transport/TransportError"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { must, runTyped, type Target } from "./Fuzz.ts"
import { pieces } from "./Mutation.ts"

const utf16 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "utf16le"))
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
const textOf = (input: Uint8Array): string => Buffer.from(input).toString("utf16le")

/** A refusal must say which rule the text breaks. */
const refuses = (result: Result.Result<unknown, InvalidArgument>): boolean => {
  if (Result.isSuccess(result)) return false
  must(result.failure instanceof InvalidArgument && result.failure.rule.length > 10, "a refusal without a rule")
  must(result.failure.message.startsWith("invalid "), "a refusal without a message")
  return true
}

const connectString: Target = {
  name: "connect string",
  corpus: [
    "zk1",
    "localhost:2181",
    "zk1:2181,zk2:2181,zk3:2181/app",
    " zk1 , zk2:65535 /a/b/c",
    "tls://zk1:2281,tcp://zk2",
    "[2001:db8::3]:2181,[::1],[fe80::1%eth0]:1/x",
    "[::ffff:1.2.3.4]:2181",
    "TLS://ZK_1.example.com.:1",
    "zoo-été.example:2181/é/ü",
    `${"zk.".repeat(60)}x:2181`
  ].map(utf16),
  run: (input) => {
    const parsed = ConnectString.parse(textOf(input))
    if (refuses(parsed)) return "refused"
    const { chroot, servers } = Result.getOrThrow(parsed)
    must(ZnodePath.check(chroot) === undefined, "a chroot that is no path")
    must(servers.length > 0, "no server")
    for (const { host, port } of servers) {
      must(host !== "" && Number.isInteger(port) && port > 0 && port < 65_536, "a server that cannot be dialled")
    }
    const again = Result.getOrThrow(ConnectString.parse(ConnectString.format({ chroot, servers })))
    must(JSON.stringify(again) === JSON.stringify({ servers, chroot }), "it is another one when written and read")
    return "accepted"
  }
}

const chroots = ["", "/app", "/a/b"] as const

const path: Target = {
  name: "path",
  corpus: [
    "/",
    "/a",
    "/app/members/member-0000000007",
    "/locks/lock--000000005",
    "/x-2147483647",
    "/app/appendix",
    "/a b/ü/…/名前",
    "/.a/..b/c..",
    `/${"long".repeat(80)}/${"x".repeat(300)}`,
    "/zookeeper/quota"
  ].map(utf16),
  run: (input) => {
    const text = textOf(input)
    const rule = ZnodePath.check(text)
    must(refuses(ZnodePath.validate(text)) === (rule !== undefined), "check and validate disagree")
    const chroot = ZnodePath.normalizeChroot(text)
    refuses(chroot)
    refuses(ZnodePath.validateSequential(text))
    if (Result.isSuccess(chroot)) {
      must(Result.getOrThrow(ZnodePath.normalizeChroot(chroot.success)) === chroot.success, "not the same twice")
    }
    // These do not judge; they may say anything, and must not throw.
    const parent = ZnodePath.parent(text)
    const name = ZnodePath.name(text)
    const ancestors = ZnodePath.ancestors(text)
    const split = ZnodePath.splitSequence(text)
    ZnodePath.sequence(text, name)
    ZnodePath.toClient(text, text)
    if (split !== undefined) {
      must(split.prefix + ZnodePath.formatSequence(split.sequence) === text, "a number that is not what was split off")
      must(ZnodePath.sequence(text, split.prefix) === split.sequence, "a number that is not found behind its prefix")
    }
    if (rule !== undefined) return "refused"
    must(ZnodePath.checkSequential(text) === undefined, "an invalid path for a sequential create")
    must(parent === undefined ? text === "/" : ZnodePath.join(parent, name) === text, "not its parent and its name")
    must(
      ancestors.every((above) => ZnodePath.check(above) === undefined),
      "an ancestor that is no path"
    )
    for (const chroot of chroots) {
      const server = ZnodePath.toServer(chroot, text)
      must(ZnodePath.check(server) === undefined, "no path under a chroot")
      must(ZnodePath.toClient(chroot, server) === text, "another path when the chroot is put before and taken off")
    }
    return "accepted"
  }
}

const acl: Target = {
  name: "ACL as text",
  corpus: [
    "world:anyone:cdrwa",
    "auth::rw",
    "digest:ann:hash=:31",
    "ip:10.0.0.0/8:r",
    "ip:::1:cd",
    "x509:CN=a,O=b:-5",
    "sasl:ann@REALM:a"
  ].map(utf16),
  run: (input) => {
    const text = textOf(input)
    Acl.isKnownId("ip", text)
    Acl.isKnownId("digest", text)
    must(Acl.matches("ip", text, "10.1.2.3") || !Acl.matches("ip", text, text) || Acl.isKnownId("ip", text), "odd")
    const parsed = Acl.parse(text)
    if (refuses(parsed)) return "refused"
    const entry = Result.getOrThrow(parsed)
    refuses(Acl.validate([entry]))
    const again = Result.getOrThrow(Acl.parse(Acl.format(entry)))
    must(JSON.stringify(again) === JSON.stringify(entry), "another one when written and read")
    return "accepted"
  }
}

const numbers: Target = {
  name: "flags and codes",
  corpus: [0, 1, 2, 3, 4, 5, 6, -1, -4, -112, -777, 2 ** 31 - 1].map((value) => {
    const bytes = new Uint8Array(12)
    new DataView(bytes.buffer).setInt32(0, value)
    new DataView(bytes.buffer).setFloat64(4, value)
    return bytes
  }),
  run: (input) => {
    const bytes = new Uint8Array(12)
    bytes.set(input.subarray(0, 12))
    const view = new DataView(bytes.buffer)
    const int = view.getInt32(0)
    const double = view.getFloat64(4)
    const mode = CreateMode.fromFlags(int)
    must(mode === undefined || CreateMode.flags[mode] === int, "a mode of other flags")
    for (const ttl of [int, double]) {
      const isValid = Number.isInteger(ttl) && ttl > 0 && ttl <= CreateMode.maxTtlMillis
      must(refuses(CreateMode.validateTtl(ttl)) !== isValid, "a time to live")
    }
    must(ErrorCode.nameOf(int).length > 1, "a code without a name")
    const type = WatchEvent.typeOf(int)
    must(type === undefined || WatchEvent.types[type] === int, "a type of another number")
    for (const { errors, name } of Operations.all) {
      const error = ServerError.fromCode(int, errors, { operation: name, path: "/a" })
      must(error === undefined || error.message.includes("/a"), "an error that names no path")
    }
    return "accepted"
  }
}

const word: Target = {
  name: "answer to a four-letter word",
  // Byte by byte each of them is a turn of a fiber.
  allowance: 16 * 1024 * 1024,
  corpus: [
    "imok",
    "rw",
    "null",
    "Zookeeper version: 3.8.0-0, built on 2022\nLatency min/avg/max: 0/0.5/12\nMode: leader\n",
    "ruok is not executed because it is not in the whitelist.\n",
    "zk_version\t3.8.0\nzk_server_state\tfollower\n",
    "zoé…😀"
  ].map(utf8),
  run: (input, choose) => {
    const chunks = [...pieces(input, choose)]
    const closed = choose(2) === 0
    const error = new TransportError({ server: "zk:2181", reason: closed ? "Closed" : "Read" })
    const transport: Transport["Service"] = {
      defaultServers: undefined,
      resolve: (server) => Effect.succeed([server]),
      connect: () =>
        Effect.succeed({
          pull: Effect.suspend(() => {
            const taken = chunks.splice(0, 1 + choose(3))
            return taken.length === 0 ? Effect.fail(error) : Effect.succeed(taken)
          }),
          write: () => Effect.void,
          defer: (task) => task()
        })
    }
    const address = { host: "zk", port: 2181 }
    const answer = runTyped(
      FourLetterWord.ask(transport, address, address, "isro"),
      (error) => error instanceof TransportError
    )
    must(answer === (closed ? new TextDecoder().decode(input) : undefined), "another answer than the server's")
    return "accepted"
  }
}

const challenge =
  'realm="zk-sasl-md5",nonce="OA6MG9tEQGm2hh",qop="auth",charset=utf-8,algorithm=md5-sess,cipher="rc4,des"'

const token: Target = {
  name: "SASL token",
  // A challenge without a nonce is well-formed. The hashing is thrifty with time, not with garbage.
  judges: true,
  allowance: 2 * 1024 * 1024,
  corpus: [
    challenge,
    'nonce="a\\"b\\\\c",algorithm=md5-sess,qop="auth-int, auth"',
    "nonce=bare,algorithm=md5-sess",
    "rspauth=ea40f60335c427b5527b84dbabcdfffd",
    ""
  ].map(utf8),
  run: (input, choose) => {
    const password = Redacted.make("s3cret-passw0rd")
    const mechanism = Sasl.digestMd5({ username: "ann", password })
    const exchange = runTyped(mechanism.begin({ host: "zk", port: 2181 }), (error) => error instanceof SaslError)
    if (exchange === undefined) return "refused"
    let refused = 0
    const show = (error: SaslError) => {
      refused++
      must(!error.message.includes("s3cret"), "the password in an error")
      return error instanceof SaslError
    }
    const first = choose(3) === 0 ? utf8(challenge) : input
    const answer = runTyped(exchange.answer(first), show)
    if (answer === undefined) return "refused"
    must(!new TextDecoder().decode(answer).includes("s3cret"), "the password in the clear")
    // The proof cannot be made up without the password, and nothing else may end the exchange.
    must(runTyped(exchange.answer(input), show) === undefined, "a third token")
    must(refused === 1, "a server without the password was believed")
    return "accepted"
  }
}

/** Everything that reads text. */
export const textTargets: ReadonlyArray<Target> = [connectString, path, acl, numbers, word, token]
