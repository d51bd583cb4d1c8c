import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.retry.RetryNTimes;

/**
 * Holds a lock by Curator, while another of its clients waits. Prints the two sessions, and stays until its input ends. The
 * arguments are host:port and the path of the lock.
 */
public class CuratorHolder {
  public static void main(String[] args) throws Exception {
    CuratorFramework holder = connect(args[0]);
    CuratorFramework waiter = connect(args[0]);
    new InterProcessMutex(holder, args[1]).acquire();
    Thread waiting = new Thread(() -> {
      try {
        new InterProcessMutex(waiter, args[1]).acquire();
      } catch (Exception error) {
        // It waits until the process ends.
      }
    });
    waiting.setDaemon(true);
    waiting.start();
    while (holder.getChildren().forPath(args[1]).size() < 2) Thread.sleep(10);
    System.out.println(sessionOf(holder) + " " + sessionOf(waiter));
    while (System.in.read() >= 0) {}
    System.exit(0);
  }

  static CuratorFramework connect(String server) throws Exception {
    CuratorFramework zk = CuratorFrameworkFactory.newClient(server, 10000, 10000, new RetryNTimes(100, 100));
    zk.start();
    zk.blockUntilConnected();
    return zk;
  }

  static String sessionOf(CuratorFramework zk) throws Exception {
    return Long.toHexString(zk.getZookeeperClient().getZooKeeper().getSessionId());
  }
}
