/** Members of an ensemble as the doctor has examined them, made up. */
import type { Member } from "../../src/internal/doctor/examination.ts"
import type { ServerAnswers } from "@effect-zookeeper/cli"

/** A follower that is well; everything can be replaced. */
export const member = (
  host: string,
  { status = {}, ...more }: Partial<Omit<Member, "status">> & { readonly status?: Partial<Member["status"]> } = {}
): Member => {
  const server = `${host}:2181`
  return {
    server,
    address: { host, port: 2181 },
    conf: conf(),
    envi: { "user.name": "zookeeper", "os.memory.max": "1000MB" },
    dirs: { data: 67_108_880, log: 67_108_880 },
    wchs: { connections: 1, paths: 1, watches: 1 },
    dump: { sessions: [], ephemerals: [] },
    watcher: undefined,
    refused: [],
    ...more,
    status: {
      server,
      state: "serving",
      mode: "follower",
      release: "3.9.5",
      zxid: 1n,
      lag: 0,
      latency: { min: 0, avg: 0.5, max: 10 },
      outstanding: 0,
      openFiles: 100,
      maxFiles: 4096,
      nodeCount: 1000,
      dataSize: 100_000,
      metrics: { zk_fsync_threshold_exceed_count: 0 },
      ...status
    }
  }
}

/** The settings of a member of three. */
export const conf = (more: Partial<ServerAnswers.Answer<"conf">> = {}): ServerAnswers.Answer<"conf"> => ({
  serverId: 1,
  tickTime: 2000,
  minSessionTimeout: 4000,
  maxSessionTimeout: 40_000,
  maxClientCnxns: 60,
  initLimit: 10,
  syncLimit: 5,
  dataDir: "/var/lib/zookeeper/version-2",
  dataLogDir: "/var/lib/zookeeper-log/version-2",
  membership: ["zk1", "zk2", "zk3"].map((host, index) => `server.${index + 1}=${host}:2888:3888:participant`),
  settings: {},
  ...more
})
