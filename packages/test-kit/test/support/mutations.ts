/**
 * Small histories, each with one mistake that the checker must find, and some that look wrong and are not.
 */
import type { Operation } from "../../src/history/History.ts"

let count = 0

/** One operation of a history that a test writes by hand. */
export function operation({
  span: [invokedAt, completedAt],
  ...rest
}: Partial<Operation> & Pick<Operation, "f"> & { readonly span: readonly [number, number] }): Operation {
  return {
    id: `o${++count}`,
    client: "a",
    session: "s",
    path: "/r",
    outcome: "ok",
    ...(rest.f === "read" ? { synced: true } : {}),
    ...rest,
    invokedAt,
    completedAt
  }
}

export function mutations(): ReadonlyArray<{
  readonly name: string
  readonly history: ReadonlyArray<Operation>
  readonly caught: RegExp
}> {
  const create = operation({ f: "create", value: "0", version: 0, mzxid: 1n, span: [0, 1] })
  const write = operation({ f: "write", value: "1", version: 1, mzxid: 2n, span: [2, 4] })
  const read = operation({ f: "read", value: "1", version: 1, mzxid: 2n, session: "t", client: "b", span: [6, 8] })
  const unknown = { outcome: "info", completedAt: Number.POSITIVE_INFINITY } as const
  const watch = operation({ f: "watch", id: "w", value: "0", version: 0, mzxid: 1n, session: "t", span: [1.5, 1.8] })
  const event = operation({ f: "event", of: "w", session: "t", span: [5, 5] })
  const stream = operation({ f: "observe", id: "x", session: "t", span: [1.2, 1.3] })
  const saw = (mzxid: bigint, at: number) => operation({ f: "observed", of: "x", mzxid, session: "t", span: [at, at] })
  const hold = (client: string, token: bigint, from: number, to: number, kind: Partial<Operation> = {}) => {
    const acquire = operation({ f: "acquire", client, token, ...kind, span: [from - 1, from] })
    return [acquire, operation({ f: "release", client, of: acquire.id, span: [to, to + 1] })]
  }
  const two = { limit: 2 }
  const increment = (count: number, from: number, to: number) => operation({ f: "increment", count, span: [from, to] })
  const offer = (value: string, at: number) => operation({ f: "offer", value, span: [at, at + 1] })
  const take = (value: string | undefined, at: number) => operation({ f: "take", value, span: [at, at + 1] })
  const own = operation({ f: "create", ephemeral: true, span: [0, 1] })
  const alive = operation({ f: "alive", span: [10, 10] })
  return [
    {
      name: "a read of an old value",
      history: [create, write, { ...read, value: "0", version: 0, mzxid: 1n }],
      caught: /version 1 was known/
    },
    {
      name: "a value from nowhere",
      history: [create, write, { ...read, value: "9" }],
      caught: /never written|two values/
    },
    { name: "two values of one version", history: [create, write, { ...read, value: "0" }], caught: /two values/ },
    {
      name: "two writers of one version",
      history: [create, write, { ...write, id: "z", value: "2" }],
      caught: /two writers/
    },
    {
      name: "a version without a writer",
      history: [create, { ...write, version: 2 }],
      caught: /version 1 has no explanation/
    },
    {
      name: "a version whose only explanation was asked later",
      history: [
        create,
        { ...write, version: 2 },
        operation({ f: "write", value: "x", ...unknown, span: [9, Infinity] })
      ],
      caught: /version 1 has no explanation/
    },
    {
      name: "two versions explained by one unknown write",
      history: [
        create,
        operation({ f: "write", value: "x", ...unknown, span: [1.5, Infinity] }),
        { ...write, version: 3 }
      ],
      caught: /has no explanation/
    },
    {
      name: "a lost write that was acknowledged",
      history: [create, write, operation({ f: "write", value: "2", version: 1, mzxid: 3n, span: [9, 10] })],
      caught: /two writers|was known before/
    },
    {
      name: "a refused write that is there",
      history: [create, { ...write, outcome: "fail", error: "BadVersion", expected: 4, version: undefined }, read],
      caught: /was refused/
    },
    {
      name: "a write applied twice",
      history: [create, write, { ...read, version: 2, mzxid: 3n }],
      caught: /is version 1, and was read|no explanation/
    },
    {
      name: "a conditional write of another version",
      history: [create, { ...write, expected: 3 }],
      caught: /made another than the next/
    },
    {
      name: "a BadVersion for the version that was there all the time",
      history: [
        create,
        operation({ f: "write", value: "7", expected: 0, outcome: "fail", error: "BadVersion", span: [2, 3] })
      ],
      caught: /no explanation/
    },
    {
      name: "a znode that vanished",
      history: [create, { ...read, outcome: "fail", error: "NoNode", version: undefined }],
      caught: /never deleted/
    },
    {
      name: "a version that is two transactions",
      history: [create, write, { ...read, mzxid: 7n }],
      caught: /two transactions/
    },
    {
      name: "a later version of an earlier transaction",
      history: [{ ...create, mzxid: 5n }, write],
      caught: /earlier transaction/
    },
    {
      name: "a read before its write was asked",
      history: [create, { ...read, invokedAt: 1.1, completedAt: 1.2 }, write],
      caught: /was known before/
    },
    {
      name: "a session that went back",
      history: [
        create,
        write,
        { ...read, synced: false },
        { ...read, synced: false, id: "b", value: "0", version: 0, mzxid: 1n, invokedAt: 9, completedAt: 10 }
      ],
      caught: /session t knew/
    },
    {
      name: "a session that did not see its own write",
      history: [
        create,
        write,
        operation({ f: "read", synced: false, value: "0", version: 0, mzxid: 1n, span: [5, 6] })
      ],
      caught: /session s knew/
    },
    {
      name: "a create of what is there",
      history: [create, { ...create, id: "z", value: "00", invokedAt: 2, completedAt: 3 }],
      caught: /no order of the operations/
    },
    {
      name: "a read of what was deleted",
      history: [create, operation({ f: "delete", span: [2, 3] }), operation({ f: "read", value: "0", span: [4, 5] })],
      caught: /no order of the operations/
    },
    {
      name: "a watch that never fired",
      history: [create, watch, write, read],
      caught: /never told|seen before the event/
    },
    {
      name: "a watch that fired after the new state was read",
      history: [create, watch, write, read, { ...event, invokedAt: 9, completedAt: 9 }],
      caught: /seen before the event/
    },
    {
      name: "a watch that fired twice",
      history: [create, watch, write, event, { ...event, id: "e2" }],
      caught: /two events/
    },
    { name: "a watch that fired for nothing", history: [create, watch, event], caught: /was not made/ },
    {
      name: "a stream that missed the last state",
      history: [create, stream, saw(1n, 1.5), write],
      caught: /ended at transaction 1/
    },
    {
      name: "a stream that went back",
      history: [create, stream, write, saw(2n, 5), saw(1n, 6), saw(2n, 7)],
      caught: /went from/
    },
    {
      name: "two holders",
      history: [...hold("a", 1n, 1, 10), ...hold("b", 2n, 5, 6)],
      caught: /two held it for 0.00 ms/
    },
    {
      name: "three holders of a semaphore of two",
      history: [...hold("a", 1n, 1, 10, two), ...hold("b", 2n, 2, 9, two), ...hold("c", 3n, 3, 4, two)],
      caught: /two held/
    },
    {
      name: "a writer beside a reader",
      history: [...hold("a", 1n, 1, 10, { shared: true }), ...hold("b", 2n, 5, 6)],
      caught: /two held/
    },
    {
      name: "a token that did not grow",
      history: [...hold("a", 2n, 1, 3), ...hold("b", 1n, 5, 6)],
      caught: /token 1 came after 2/
    },
    {
      name: "a token that came again",
      history: [...hold("a", 2n, 1, 3), ...hold("b", 2n, 5, 6)],
      caught: /token 2 came after 2/
    },
    {
      name: "a resource that took a lower token",
      history: [
        operation({ f: "fenced", token: 2n, span: [0, 1] }),
        operation({ f: "fenced", token: 1n, span: [2, 3] })
      ],
      caught: /accepted token 1 after 2/
    },
    { name: "a counter that gave a value twice", history: [increment(1, 0, 5), increment(1, 1, 6)], caught: /1 after/ },
    { name: "a counter that went back", history: [increment(2, 0, 1), increment(1, 2, 3)], caught: /1 after 2/ },
    {
      name: "a counter that lost an increment",
      history: [increment(1, 0, 1), increment(2, 2, 3), operation({ f: "total", count: 1, span: [4, 5] })],
      caught: /1 after 2|2 to 2 are possible/
    },
    {
      name: "a counter that counted too much",
      history: [increment(1, 0, 1), operation({ f: "total", count: 2, span: [4, 5] })],
      caught: /1 to 1 are possible/
    },
    { name: "an element handed out twice", history: [offer("x", 0), take("x", 2), take("x", 4)], caught: /twice/ },
    { name: "an element that was never put in", history: [take("x", 2)], caught: /never put in/ },
    { name: "an element that was lost", history: [offer("x", 0), take(undefined, 2)], caught: /1 lost, where 0/ },
    {
      name: "an ephemeral that its living session does not find",
      history: [own, operation({ f: "read", ephemeral: true, outcome: "fail", error: "NoNode", span: [2, 3] })],
      caught: /session s lives/
    },
    {
      name: "an ephemeral that outlived its session",
      history: [own, alive, operation({ f: "read", ephemeral: true, owner: "old", span: [11, 12] })],
      caught: /its session has ended/
    }
  ]
}

export function allowed(): ReadonlyArray<{ readonly name: string; readonly history: ReadonlyArray<Operation> }> {
  const create = operation({ f: "create", value: "0", version: 0, mzxid: 1n, span: [0, 1] })
  const write = operation({ f: "write", value: "1", version: 1, mzxid: 2n, span: [2, 4] })
  const late = operation({ f: "write", value: "2", outcome: "info", span: [2, Infinity] })
  return [
    {
      name: "a stale read that did not ask for more",
      history: [
        create,
        write,
        operation({ f: "read", synced: false, session: "t", value: "0", version: 0, mzxid: 1n, span: [5, 6] })
      ]
    },
    {
      name: "an unknown write that came late",
      history: [
        create,
        late,
        write,
        operation({ f: "read", value: "1", version: 1, mzxid: 2n, span: [5, 6] }),
        operation({ f: "read", value: "2", version: 2, mzxid: 3n, span: [7, 8] })
      ]
    },
    {
      name: "a version of an unknown write that no read saw",
      history: [create, late, { ...write, version: 2, mzxid: 3n }]
    },
    {
      name: "a BadVersion beside a write",
      history: [
        create,
        write,
        operation({ f: "write", value: "7", expected: 0, outcome: "fail", error: "BadVersion", span: [3, 5] })
      ]
    },
    {
      name: "a BadVersion that only an unknown write explains",
      history: [
        create,
        late,
        operation({ f: "write", value: "7", expected: 0, outcome: "fail", error: "BadVersion", span: [3, 5] })
      ]
    },
    {
      name: "a lock that is handed on in the moment of the release",
      history: [
        operation({ f: "acquire", id: "h", client: "a", token: 1n, span: [0, 1] }),
        operation({ f: "release", of: "h", client: "a", span: [5, 9] }),
        operation({ f: "acquire", client: "b", token: 2n, span: [2, 6] })
      ]
    },
    {
      name: "a lock whose holder crashed",
      history: [
        operation({ f: "acquire", client: "a", token: 1n, span: [0, 1] }),
        operation({ f: "crash", client: "a", span: [3, 3] }),
        operation({ f: "acquire", client: "b", token: 2n, span: [2, 6] })
      ]
    },
    {
      name: "a loss that an unknown take explains",
      history: [
        operation({ f: "offer", value: "x", span: [0, 1] }),
        operation({ f: "take", outcome: "info", span: [2, Infinity] })
      ]
    },
    {
      name: "a total between what was done and what is unknown",
      history: [
        operation({ f: "increment", count: 1, span: [0, 1] }),
        operation({ f: "increment", outcome: "info", span: [1, Infinity] }),
        operation({ f: "total", count: 2, span: [2, 3] })
      ]
    }
  ]
}
