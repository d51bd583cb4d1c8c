/** How a command runs: its settings are found, its code is loaded, and it gets a client and a printer. */
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Terminal from "effect/Terminal"
import { make as makePrinter, Printer } from "../output/Printer.ts"
import { namingChroot } from "./chroot.ts"
import { Client, make as makeClient } from "./Client.ts"
import { deadline } from "./deadline.ts"
import { UsageError } from "./errors.ts"
import * as GlobalFlags from "./globalFlags.ts"
import { inShell } from "./inShell.ts"
import { resolve } from "./Settings.ts"

/**
 * What `--timeout` limits:
 *
 * - `wholly`: all of the command.
 * - `ifAsked`: all of it where the command line says so. A default, of the environment or a profile, does not end what runs until it
 *   is stopped, or for as long as another command or a person takes; it only limits the way to the servers.
 * - `partly`: what the command itself limits by a `deadline`.
 * - `never`: nothing, for what serves until it is stopped; the flag is refused.
 */
export type Limited = "wholly" | "ifAsked" | "partly" | "never"

/** The handler of a command whose code is loaded only when it runs. */
export const handle =
  <Input, E, R>(
    load: () => Promise<(input: Input) => Effect.Effect<void, E, R>>,
    { limited = "wholly" }: { readonly limited?: Limited } = {}
  ) =>
  (input: Input) =>
    Effect.gen(function* () {
      const json = yield* GlobalFlags.Json
      const ndjson = yield* GlobalFlags.Ndjson
      if (json && ndjson) {
        return yield* new UsageError({ message: "--json and --ndjson exclude each other: choose one" })
      }
      if (limited === "never" && Option.isSome(yield* GlobalFlags.Timeout)) {
        return yield* new UsageError({ message: "--timeout is not for a command that serves until it is stopped" })
      }
      const client = (yield* inShell) ?? makeClient(yield* resolve)
      const run = yield* Effect.promise(load)
      const { canColor } = yield* TerminalCapabilities.TerminalCapabilities
      const columns = yield* (yield* Terminal.Terminal).columns
      const printer = yield* makePrinter(json ? "json" : ndjson ? "ndjson" : "text", canColor, columns)
      const command: Effect.Effect<void, E, Exclude<Exclude<Exclude<R, Scope.Scope>, Client>, Printer>> = run(
        input
      ).pipe(Effect.scoped, Effect.provideService(Client, client), Effect.provideService(Printer, printer))
      const isLimited = limited === "wholly" || (limited === "ifAsked" && client.settings.isTimeoutAsked)
      const named = namingChroot(client, isLimited ? (yield* deadline(client.settings))(command) : command)
      return yield* client.outage === undefined ? named : Effect.raceFirst(named, client.outage)
    })
