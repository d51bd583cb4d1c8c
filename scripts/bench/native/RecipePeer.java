import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Scanner;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.queue.SimpleDistributedQueue;
import org.apache.curator.retry.RetryNTimes;

/** The process of Curator: the servers are its argument, with the jobs and answers of `child.ts`. */
public class RecipePeer {
  static final int CONTENDERS = 100;

  static CuratorFramework zk;

  public static void main(String[] args) throws Exception {
    zk = CuratorFrameworkFactory.newClient(args[0], 600000, 10000, new RetryNTimes(10, 100));
    zk.start();
    zk.blockUntilConnected();
    System.out.println("{\"is\":\"ready\"}");
    Scanner jobs = new Scanner(System.in);
    while (jobs.hasNextLine()) {
      String job = jobs.nextLine();
      if (field(job, "job").equals("close")) break;
      int count = Integer.parseInt(field(job, "count"));
      long cpu = cpu();
      long begun = System.nanoTime();
      work(field(job, "work"), field(job, "path"), count);
      System.out.println(
          "{\"is\":\"sample\",\"sample\":{\"operations\":" + count
              + ",\"wallMicros\":" + (System.nanoTime() - begun) / 1000.0
              + ",\"cpuMicros\":" + (cpu() - cpu) / 1000.0
              + ",\"p50\":0,\"p99\":0,\"rss\":0,\"heap\":0}}");
    }
    zk.close();
  }

  static void work(String work, String path, int count) throws Exception {
    switch (work) {
      case "lock":
        InterProcessMutex lock = new InterProcessMutex(zk, path);
        for (int turn = 0; turn < count; turn++) acquireAndRelease(lock);
        break;
      case "contenders":
        for (int round = 0; round < count / CONTENDERS; round++) contend(path);
        break;
      case "queue":
        byte[] item = new byte[100];
        SimpleDistributedQueue queue = new SimpleDistributedQueue(zk, path);
        for (int turn = 0; turn < count; turn++) {
          queue.offer(item);
          queue.take();
        }
        break;
      default:
        throw new IllegalArgumentException(work);
    }
  }

  static void contend(String path) throws Exception {
    List<Thread> threads = new ArrayList<>();
    for (int index = 0; index < CONTENDERS; index++) {
      Thread thread = new Thread(() -> {
        try {
          acquireAndRelease(new InterProcessMutex(zk, path));
        } catch (Exception error) {
          throw new IllegalStateException(error);
        }
      });
      thread.start();
      threads.add(thread);
    }
    for (Thread thread : threads) thread.join();
  }

  static void acquireAndRelease(InterProcessMutex lock) throws Exception {
    lock.acquire();
    lock.release();
  }

  /** Nanoseconds of all threads, user and system. */
  static long cpu() {
    return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
  }

  static String field(String job, String name) {
    Matcher found = Pattern.compile("\"" + name + "\":\"?([^\",}]*)").matcher(job);
    return found.find() ? found.group(1) : "";
  }
}
