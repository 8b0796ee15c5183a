import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** An MCP server that does what Java's servers do: threads, garbage, compilation, child processes. */
public class Server {
    private static final int THREADS = 8;
    private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

    /** A member of a request whose values hold no quotes: enough for the few that a test sends. */
    private static String member(String line, String name) {
        Matcher found = Pattern.compile("\"" + name + "\"\\s*:\\s*(\"[^\"]*\"|\\d+)").matcher(line);
        return found.find() ? found.group(1) : null;
    }

    /** Garbage enough for several collections, in as many threads. */
    private static String churn() throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(THREADS);
        List<Callable<Long>> work = new ArrayList<>();
        for (int thread = 0; thread < THREADS; thread++)
            work.add(() -> {
                long sum = 0;
                for (int i = 0; i < 400; i++)
                    sum += new byte[100_000 + i % 7].length;
                return sum;
            });
        long sum = 0;
        for (Future<Long> one : pool.invokeAll(work))
            sum += one.get();
        pool.shutdown();
        System.gc();
        return THREADS + " threads, " + sum + " bytes";
    }

    private static String run() throws IOException, InterruptedException {
        Process child = new ProcessBuilder("/bin/sh", "-c", "echo from a child").start();
        String said = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return said.strip() + ", status " + child.waitFor();
    }

    private static String tool(String name) {
        return "{\"name\":\"" + name + "\",\"inputSchema\":{\"type\":\"object\"}}";
    }

    private static String result(String line) throws Exception {
        switch (member(line, "method")) {
            case "\"initialize\"":
                return "{\"protocolVersion\":\"2025-06-18\",\"capabilities\":{\"tools\":{}},"
                    + "\"serverInfo\":{\"name\":\"java\",\"version\":\"1\"}}";
            case "\"tools/list\"":
                return "{\"tools\":[" + tool("churn") + "," + tool("run") + "]}";
            case "\"tools/call\"":
                String said = line.contains("\"churn\"") ? churn() : run();
                return "{\"content\":[{\"type\":\"text\",\"text\":\"" + said + "\"}]}";
            case "\"ping\"":
                return "{}";
            default:
                return null;
        }
    }

    public static void main(String[] words) throws Exception {
        BufferedReader in = new BufferedReader(
            new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String id = member(line, "id");
            if (id == null)
                continue;
            String result = result(line);
            OUT.println("{\"jsonrpc\":\"2.0\",\"id\":" + id + "," + (result != null
                ? "\"result\":" + result
                : "\"error\":{\"code\":-32601,\"message\":\"method not found\"}") + "}");
        }
    }
}
