/** `zk ui`: the console, until it is stopped. */
import type { Cluster } from "@effect-zookeeper/console/Cluster"
import * as ConsoleServer from "@effect-zookeeper/console/ConsoleServer"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as HttpServer from "effect/http/HttpServer"
import * as Output from "../../Output.ts"
import { Client, make as makeClient } from "../frame/Client.ts"
import { readEnvironment } from "../frame/environment.ts"
import { UsageError } from "../frame/errors.ts"
import * as GlobalFlags from "../frame/globalFlags.ts"
import { profileNames } from "../frame/profiles.ts"
import { ofProfile, type Settings } from "../frame/Settings.ts"
import { Version } from "../frame/Version.ts"
import { Printer, printOne } from "../output/Printer.ts"
import { makeInspector } from "./inspector.ts"
import { listen } from "./listen.ts"
import { pageFiles } from "./page.ts"

export interface Input {
  readonly profiles: ReadonlyArray<string>
  readonly all: boolean
  readonly port: number
  readonly write: boolean
  /** Where the page was built to, if not where it usually is. */
  readonly page: string | undefined
}

export const ui = Effect.fnUntraced(function* (input: Input) {
  const { note } = yield* Printer
  const version = yield* Version
  const files = yield* pageFiles(input.page)
  const clusters = yield* chooseClusters(input)
  const server = yield* listen(input.port)
  const { link } = yield* ConsoleServer.make({ clusters, files, version, write: input.write }).pipe(
    Effect.provideService(HttpServer.HttpServer, server)
  )
  yield* printOne(Output.Console, { link: Redacted.value(link) }, ({ link }, style) => `${style.bold(link)}\n`)
  const names = clusters.map(({ name }) => name).join(", ")
  yield* note(
    `The console of ${names}. Open the link in a browser of this machine; with it, anyone can ` +
      `${input.write ? "read and change" : "read"} what you can. Ctrl-C stops it.`
  )
  return yield* Effect.never
})

// ---- internal

/** The run's own ensemble, or those of the profiles that are named. */
const chooseClusters = Effect.fnUntraced(function* ({ all, profiles }: Input) {
  const { settings } = yield* Client
  const flags = yield* GlobalFlags.values
  const environment = yield* readEnvironment
  const file = Option.getOrElse(flags.profiles, () => environment.profiles)
  const names = all ? yield* profileNames(file, environment) : profiles
  if (all && names.length === 0) {
    return yield* new UsageError({ message: "there are no profiles; see --profiles" })
  }
  const own = Option.getOrUndefined(flags.profile) ?? environment.profile ?? settings.servers
  if (names.length === 0) return [yield* makeCluster(own, settings)]
  return yield* Effect.forEach([...new Set(names)], (name) =>
    Effect.flatMap(ofProfile(name, settings), (found) => makeCluster(name, found))
  )
})

const makeCluster = Effect.fnUntraced(function* (name: string, settings: Settings) {
  return {
    name,
    servers: `${settings.servers}${settings.chroot}`,
    readOnly: settings.readOnly === undefined ? undefined : `${settings.readOnly} allows no changes`,
    connect: makeClient(settings).viewer,
    inspector: yield* makeInspector(settings)
  } satisfies Cluster
})
