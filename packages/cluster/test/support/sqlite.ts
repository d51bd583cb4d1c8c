/**
 * Effect's SQL client on SQLite, through Node's own module: for messages in a database. An application takes the package of
 * Effect for its database.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as SqlClient from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import * as SqlError from "effect/sql/SqlError"
import * as Statement from "effect/sql/Statement"
import * as Stream from "effect/Stream"
import { DatabaseSync, type SQLInputValue } from "node:sqlite"

/** How commits reach the disk, here and in the benchmark. */
export const synchronous = "FULL"

/**
 * A database, which is gone with the Scope if it is in memory. `busyTimeout` is how long a statement waits for another
 * process, in milliseconds. Nothing else runs in this process meanwhile.
 */
export const layer = (filename = ":memory:", { busyTimeout = 5000 } = {}): Layer.Layer<SqlClient.SqlClient> =>
  Layer.effect(SqlClient.SqlClient, make(filename, busyTimeout)).pipe(Layer.provide(Reactivity.layer))

// ---- internal

const make = (filename: string, busyTimeout: number) =>
  Effect.gen(function* () {
    const database = yield* Effect.acquireRelease(
      Effect.sync(() => new DatabaseSync(filename)),
      (database) => Effect.sync(() => database.close())
    )
    // In this order: other processes may set the mode of the same file at this moment. FULL is the default, and what the durability
    // of messages rests on: each commit is on disk before anybody hears of it, as with PostgreSQL.
    database.exec(
      `PRAGMA busy_timeout = ${busyTimeout}; PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}`
    )
    const connection = connectionOf(database)
    const semaphore = yield* Semaphore.make(1)
    return yield* SqlClient.make({
      // A transaction that reads before it writes would fail where another process writes between.
      beginTransaction: "BEGIN IMMEDIATE",
      acquirer: semaphore.withPermits(1)(Effect.succeed(connection)),
      compiler: Statement.makeCompilerSqlite(),
      driver: "sqlite",
      spanAttributes: [],
      // A transaction has the connection to itself.
      transactionAcquirer: Effect.uninterruptibleMask((restore) =>
        Effect.gen(function* () {
          const scope = yield* Effect.scope
          yield* restore(semaphore.take(1))
          yield* Scope.addFinalizer(scope, semaphore.release(1))
          return connection
        })
      )
    })
  })

const connectionOf = (database: DatabaseSync): Connection => {
  const run = (sql: string, params: ReadonlyArray<unknown>, asArrays = false) =>
    Effect.try({
      try: () => {
        const statement = database.prepare(sql)
        statement.setReadBigInts(false)
        statement.setReturnArrays(asArrays)
        return statement.all(...params.map(toInput))
      },
      catch: (cause) => new SqlError.SqlError({ reason: new SqlError.UnknownError({ cause, message: sql }) })
    })
  const execute: Connection["execute"] = (sql, params, transform) =>
    Effect.map(run(sql, params), (rows) => (transform === undefined ? rows : transform(rows)))
  const values: Connection["executeValues"] = (sql, params) =>
    Effect.map(run(sql, params, true), (rows) => rows.map((row) => Object.values(row)))
  return {
    execute,
    executeRaw: (sql, params) => run(sql, params),
    executeStream: () => Stream.die("not needed"),
    executeValues: values,
    executeValuesUnprepared: values,
    executeUnprepared: execute
  }
}

const toInput = (value: unknown): SQLInputValue => {
  switch (typeof value) {
    case "boolean":
      return value ? 1 : 0
    case "number":
    case "bigint":
    case "string":
      return value
    default:
      return value instanceof Uint8Array ? value : null
  }
}
