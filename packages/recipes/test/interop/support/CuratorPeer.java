import java.util.Scanner;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.atomic.AtomicValue;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicLong;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.locks.InterProcessLock;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreV2;
import org.apache.curator.framework.recipes.locks.Lease;
import org.apache.curator.framework.recipes.locks.Revoker;
import org.apache.curator.retry.RetryNTimes;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;

/**
 * A process that shares paths with ours by Curator. Reads commands, one a line, "lock /path 8", and answers "done" and how
 * often it saw another where none may be.
 */
public class CuratorPeer {
  static CuratorFramework zk;

  public static void main(String[] args) throws Exception {
    zk = CuratorFrameworkFactory.newClient(args[0], 10000, 10000, new RetryNTimes(100, 100));
    zk.start();
    zk.blockUntilConnected();
    System.out.println("ready");
    Scanner commands = new Scanner(System.in);
    while (commands.hasNextLine()) {
      String[] words = commands.nextLine().split(" ");
      int clashes = 0;
      for (int turn = 0; turn < Integer.parseInt(words[2]); turn++) clashes += turn(words[0], words[1]);
      System.out.println("done " + clashes);
    }
    zk.close();
  }

  static int turn(String recipe, String path) throws Exception {
    switch (recipe) {
      case "lock":
        return holding(new InterProcessMutex(zk, path), () -> alone(path));
      case "revocable":
        InterProcessMutex revocable = new InterProcessMutex(zk, path);
        CountDownLatch revoked = new CountDownLatch(1);
        revocable.makeRevocable(lock -> revoked.countDown());
        return holding(revocable, () -> revoked.await(60, TimeUnit.SECONDS) ? 0 : 1);
      case "revoke":
        Revoker.attemptRevoke(zk, path + "/" + zk.getChildren().forPath(path).get(0));
        return 0;
      case "read":
        return holding(new InterProcessReadWriteLock(zk, path).readLock(), () -> reading(path));
      case "write":
        return holding(new InterProcessReadWriteLock(zk, path).writeLock(), () -> writing(path));
      case "semaphore":
        InterProcessSemaphoreV2 semaphore = new InterProcessSemaphoreV2(zk, path, 2);
        Lease lease = semaphore.acquire(60, TimeUnit.SECONDS);
        try {
          return together(path, 2);
        } finally {
          semaphore.returnLease(lease);
        }
      case "leader":
        try (LeaderLatch latch = new LeaderLatch(zk, path, "curator")) {
          latch.start();
          latch.await();
          return alone(path);
        }
      case "counter":
        AtomicValue<Long> value = new DistributedAtomicLong(zk, path, new RetryNTimes(1000, 5)).increment();
        return value.succeeded() ? 0 : 1;
      default:
        throw new IllegalArgumentException(recipe);
    }
  }

  static int holding(InterProcessLock lock, Callable<Integer> work) throws Exception {
    if (!lock.acquire(60, TimeUnit.SECONDS)) return 1000;
    try {
      return work.call();
    } finally {
      lock.release();
    }
  }

  /** Who is there alone finds nobody. */
  static int alone(String path) throws Exception {
    try {
      zk.create().withMode(CreateMode.EPHEMERAL).forPath(path + "-owner");
    } catch (KeeperException.NodeExistsException error) {
      return 1;
    }
    Thread.sleep(2);
    zk.delete().forPath(path + "-owner");
    return 0;
  }

  static int writing(String path) throws Exception {
    return alone(path) + (zk.getChildren().forPath(path + "-readers").isEmpty() ? 0 : 1);
  }

  static int reading(String path) throws Exception {
    String own = zk.create().withMode(CreateMode.EPHEMERAL_SEQUENTIAL).forPath(path + "-readers/r-");
    int clashes = zk.checkExists().forPath(path + "-owner") == null ? 0 : 1;
    Thread.sleep(2);
    zk.delete().forPath(own);
    return clashes;
  }

  static int together(String path, int limit) throws Exception {
    String own = zk.create().withMode(CreateMode.EPHEMERAL_SEQUENTIAL).forPath(path + "-readers/r-");
    int clashes = zk.getChildren().forPath(path + "-readers").size() > limit ? 1 : 0;
    Thread.sleep(2);
    zk.delete().forPath(own);
    return clashes;
  }
}
