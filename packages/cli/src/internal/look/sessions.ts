/** `zk sessions`: the sessions and their connections, in the words of the servers. */
import { format, type ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import { Transport } from "@effect-zookeeper/transport/Transport"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as FourLetterWords from "../../FourLetterWords.ts"
import * as Output from "../../Output.ts"
import type { Answer } from "../../ServerAnswers.ts"
import { countAnswers, serversOf, transportOf } from "../diagnose/network.ts"
import { failOf } from "../diagnose/unanswered.ts"
import { Client } from "../frame/Client.ts"
import type { Settings } from "../frame/Settings.ts"
import { type Cells, type Column, tableOf } from "../output/columns.ts"
import { printAll, Printer } from "../output/Printer.ts"
import { age } from "../output/short.ts"
import { shown } from "../output/text.ts"
import { parseOwner } from "./find.ts"

export interface Input {
  readonly session: string | undefined
}

/** A session, as far as the servers tell. */
export type Session = typeof Output.Session.Type

/**
 * A server knows the connections to itself, and the leader all sessions. Everything that is answered is printed; then it
 * fails if a server has not answered.
 */
export const sessions = Effect.fnUntraced(function* (input: Input) {
  const wanted = input.session === undefined ? undefined : yield* parseOwner(input.session, "--session")
  const { settings } = yield* Client
  const now = yield* Clock.currentTimeMillis
  const { answered, failures } = yield* askAndShow(settings)
  const all = sessionsOf(answered).filter(({ session }) => wanted === undefined || session === wanted)
  const { mode, note } = yield* Printer
  if (mode === "text" && all.length === 0 && answered.length > 0) {
    const which = wanted === undefined ? "no session" : `no session ${Output.formatHex(wanted)}`
    yield* note(`${which} on ${answered.map(({ server }) => server).join(", ")}`)
  } else if (answered.length > 0) yield* print(all.toSorted(byConnection), now)
  yield* failOf(failures, answered.length + failures.length, "cons")
})

/** Asks these servers at once. */
export const askSessions = (settings: Settings, servers: ReadonlyArray<ServerAddress>) =>
  askAll(settings, servers, identity)

/** The addresses of the clients by their sessions, as far as the servers of the settings tell, and why others do not. */
export const askClients = Effect.fnUntraced(function* (settings: Settings) {
  const servers = yield* serversOf(settings)
  const transport = yield* transportOf(settings)
  const answers = yield* Effect.forEach(servers, (server) => Effect.result(FourLetterWords.ask(server, "cons")), {
    concurrency: "unbounded"
  }).pipe(Effect.provideService(Transport, transport))
  const connections = answers.filter(Result.isSuccess).flatMap(({ success }) => success)
  return {
    clients: new Map(
      connections.flatMap(({ address, session }) => (session === undefined ? [] : [[session, address] as const]))
    ),
    problems: answers.filter(Result.isFailure).map(({ failure }) => failure.message)
  }
})

/** Asks all servers of the settings, while a terminal shows how many have answered. */
const askAndShow = Effect.fnUntraced(function* (settings: Settings) {
  const servers = yield* serversOf(settings)
  const { counted, showing } = countAnswers(servers.length)
  return yield* showing(askAll(settings, servers, counted))
})

const askAll = Effect.fnUntraced(function* (
  settings: Settings,
  servers: ReadonlyArray<ServerAddress>,
  counted: <A, E, R>(answer: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
) {
  const transport = yield* transportOf(settings)
  const answers = yield* Effect.forEach(
    servers,
    (server) =>
      // At the same time: one that hangs answers neither.
      Effect.all(
        {
          server: Effect.succeed(format(server)),
          connections: Effect.result(FourLetterWords.ask(server, "cons")),
          dump: Effect.option(FourLetterWords.ask(server, "dump"))
        },
        { concurrency: "unbounded" }
      ).pipe(counted),
    { concurrency: "unbounded" }
  ).pipe(Effect.provideService(Transport, transport))
  return {
    answered: answers.flatMap(({ connections, dump, server }): ReadonlyArray<ServerSessions> =>
      Result.isSuccess(connections)
        ? [{ server, connections: connections.success, dump: Option.getOrUndefined(dump) }]
        : []
    ),
    failures: answers.flatMap(({ connections }) => (Result.isFailure(connections) ? [connections.failure] : []))
  }
})

/** What one server has said. */
export interface ServerSessions {
  readonly server: string
  readonly connections: Answer<"cons">
  readonly dump: Answer<"dump"> | undefined
}

/**
 * All sessions that any of the servers knows. Each server has the ephemeral znodes of all sessions; one that lags has fewer of
 * them.
 */
export const sessionsOf = (answers: ReadonlyArray<ServerSessions>): ReadonlyArray<Session> => {
  const found = new Map<bigint, Session>()
  for (const { dump } of answers) {
    const counts = new Map(dump?.ephemerals.map(({ paths, session }) => [session, paths.length]))
    for (const session of new Set([...(dump?.sessions ?? []), ...counts.keys()])) {
      const ephemerals = Math.max(counts.get(session) ?? 0, found.get(session)?.ephemerals ?? 0)
      found.set(session, { session, ephemerals })
    }
  }
  for (const { connections, server } of answers) {
    const newest = Math.max(...connections.map(({ lastResponse = 0 }) => lastResponse))
    for (const {
      address,
      established,
      lastOperation,
      lastResponse,
      queued,
      received,
      sent,
      session,
      sessionTimeout
    } of connections) {
      // A connection that asks a word has no session.
      if (session === undefined || session === 0n) continue
      found.set(session, {
        ...found.get(session),
        session,
        server,
        client: address,
        queued,
        received,
        sent,
        ...(established === undefined ? {} : { connected: established }),
        ...(sessionTimeout === undefined ? {} : { timeout: sessionTimeout }),
        ...(lastResponse === undefined || lastResponse === newest ? {} : { unheard: newest - lastResponse }),
        ...(lastOperation === undefined ? {} : { lastOperation })
      })
    }
  }
  return [...found.values()]
}

// ---- internal

const byConnection = (a: Session, b: Session): number =>
  (a.connected ?? Number.POSITIVE_INFINITY) - (b.connected ?? Number.POSITIVE_INFINITY) || Number(a.session - b.session)

const print = Effect.fnUntraced(function* (all: ReadonlyArray<Session>, now: number) {
  const { mode, style, write } = yield* Printer
  if (mode !== "text") return yield* printAll(Output.Session, Stream.fromIterable(all), () => "")
  const rows = all.map((session) => cellsOf(session, now))
  yield* write(tableOf(columns, byWorth, rows, style.width))
})

type Name = "session" | "server" | "client" | "connected" | "timeout" | "heard" | "ephemerals" | "queued" | "last"

const columns: ReadonlyArray<Column<Name>> = [
  { name: "session", title: "SESSION" },
  { name: "server", title: "SERVER" },
  { name: "client", title: "CLIENT" },
  { name: "connected", title: "CONNECTED" },
  { name: "timeout", title: "TIMEOUT" },
  { name: "heard", title: "HEARD" },
  { name: "ephemerals", title: "EPHEMERALS" },
  { name: "queued", title: "QUEUED" },
  { name: "last", title: "LAST" }
]

const byWorth: ReadonlyArray<Name> = [
  "session",
  "client",
  "server",
  "heard",
  "ephemerals",
  "connected",
  "last",
  "timeout",
  "queued"
]

const cellsOf = (found: Session, now: number): Cells<Name> => {
  const { client, connected, ephemerals, lastOperation, queued, server, session, timeout, unheard } = found
  return {
    session: Output.formatHex(session),
    server: server ?? "-",
    client: client === undefined ? "-" : shown(client),
    connected: connected === undefined ? "-" : age(now - connected),
    timeout: timeout === undefined ? "-" : `${timeout / 1000}s`,
    heard: unheard === undefined ? "-" : `${age(unheard)} ago${isLate(unheard, timeout) ? ", late" : ""}`,
    ephemerals: ephemerals === undefined ? "-" : String(ephemerals),
    queued: queued === undefined ? "-" : String(queued),
    last: lastOperation === undefined ? "-" : shown(lastOperation)
  }
}

/** A client that is well pings in a third of its timeout. */
const isLate = (unheard: number, timeout: number | undefined): boolean => timeout !== undefined && unheard > timeout / 2
