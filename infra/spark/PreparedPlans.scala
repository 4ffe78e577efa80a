package lake.plans

import java.nio.ByteBuffer
import java.security.MessageDigest
import java.util.{LinkedHashMap, Map => JavaMap, Optional}
import java.util.concurrent.atomic.AtomicLong

import org.apache.spark.connect.proto
import org.apache.spark.sql.SparkSessionExtensions
import org.apache.spark.sql.catalyst.FunctionIdentifier
import org.apache.spark.sql.catalyst.expressions.{Attribute, Expression, ExpressionInfo}
import org.apache.spark.sql.catalyst.expressions.objects.StaticInvoke
import org.apache.spark.sql.catalyst.optimizer.ConvertToLocalRelation
import org.apache.spark.sql.catalyst.plans.logical.{LeafNode, LocalRelation, LogicalPlan, Statistics}
import org.apache.spark.sql.catalyst.trees.TreePattern.{CURRENT_LIKE, PLAN_EXPRESSION}
import org.apache.spark.sql.classic.SparkSession
import org.apache.spark.sql.connect.planner.SparkConnectPlanner
import org.apache.spark.sql.connect.plugin.RelationPlugin
import org.apache.spark.sql.execution.{SparkPlan, SparkStrategy}
import org.apache.spark.sql.types.StringType
import org.apache.spark.unsafe.types.UTF8String
import org.sparkproject.connect.protobuf.{Any => Message, CodedInputStream}

/** A leaf of a prepared plan; the rows of each request are put in its place. */
case class Placeholder(number: Int, override val output: Seq[Attribute]) extends LeafNode {
  override def computeStats(): Statistics = Statistics(sizeInBytes = 1)
}

/** An optimized plan, which neither the analyzer nor the optimizer has to look into. */
case class Optimized(plan: LogicalPlan) extends LeafNode {
  override def output: Seq[Attribute] = plan.output
  override def computeStats(): Statistics = plan.stats
}

/** Makes a physical plan of an optimized one. */
object OptimizedStrategy extends SparkStrategy {
  override def apply(plan: LogicalPlan): Seq[SparkPlan] = plan match {
    case Optimized(inner) => planLater(inner) :: Nil
    case _ => Nil
  }
}

/** Plans over rows that clients send, analyzed and optimized once for all requests that differ in their rows alone.
  *
  * A request is an extension of Spark Connect: the plan, with a placeholder for each table, and the tables. Its plan is
  * found by its bytes, the columns of the tables and the settings of the session. A plan with the current time, random
  * values or other tables is not kept.
  */
class PreparedPlans extends RelationPlugin {
  override def transform(relation: Array[Byte], planner: SparkConnectPlanner): Optional[LogicalPlan] = {
    val message = Message.parseFrom(relation)
    message.getTypeUrl match {
      case PreparedPlans.Request =>
        Optional.of(PreparedPlans.answer(message.getValue.asReadOnlyByteBuffer, planner))
      case PreparedPlans.PlaceholderOf =>
        Optional.of(PreparedPlans.placeholder(message.getValue.asReadOnlyByteBuffer.getInt))
      case _ => Optional.empty()
    }
  }
}

object PreparedPlans {
  val Request = "lake/prepared"
  val PlaceholderOf = "lake/placeholder"
  private val MostBytes = 16 << 20
  private val Depth = 1024

  private val prepared = new LinkedHashMap[String, Prepared](64, 0.75f, true)
  private var bytes = 0
  private val asked = new AtomicLong
  private val found = new AtomicLong
  private val tables = new ThreadLocal[Seq[LocalRelation]]

  /** "<requests> <with a plan that was found> <with compiled code>", since the engine started; when all code is compiled
    * that was asked for. */
  def counts(): UTF8String = {
    RowCode.finished()
    UTF8String.fromString(s"${asked.get} ${found.get} ${RowCode.used.get}")
  }

  private def placeholder(number: Int): LogicalPlan = Placeholder(number, tables.get()(number).output)

  /** The plan of a request: number of parts, then the size and bytes of each; the first is the plan, the others its tables. */
  private def answer(request: ByteBuffer, planner: SparkConnectPlanner): LogicalPlan = {
    val parts = Seq.fill(request.getInt) {
      val part = new Array[Byte](request.getInt)
      request.get(part)
      part
    }
    val rows = parts.tail.map(part => local(planner.transformRelation(parsed(part))))
    val session = SparkSession.active
    // What is executed adaptively is optimized again while it runs, which a plan in one piece does not allow.
    if (session.sessionState.conf.adaptiveExecutionEnabled) filled(unresolved(parts.head, rows, planner), rows)
    else {
      asked.incrementAndGet()
      val key = keyOf(parts.head, rows, session)
      kept(key) match {
        case Some(known) =>
          found.incrementAndGet()
          evaluated(known, rows, session)
        case None => prepare(key, parts.head, rows, planner, session)
      }
    }
  }

  private def parsed(part: Array[Byte]): proto.Relation = {
    val input = CodedInputStream.newInstance(part)
    input.setRecursionLimit(Depth)
    proto.Relation.parseFrom(input)
  }

  private def local(plan: LogicalPlan): LocalRelation = plan match {
    case rows: LocalRelation => rows
    case other => throw new IllegalArgumentException(s"not a table of a client: ${other.nodeName}")
  }

  private def unresolved(part: Array[Byte], rows: Seq[LocalRelation], planner: SparkConnectPlanner): LogicalPlan = {
    tables.set(rows)
    try planner.transformRelation(parsed(part))
    finally tables.remove()
  }

  private def prepare(
      key: String,
      part: Array[Byte],
      rows: Seq[LocalRelation],
      planner: SparkConnectPlanner,
      session: SparkSession): LogicalPlan = {
    val plan = unresolved(part, rows, planner)
    val execution = session.sessionState.executePlan(plan)
    if (!isKept(execution.analyzed)) filled(plan, rows)
    else {
      val made = new Prepared(execution.optimizedPlan, part.length)
      keep(key, made)
      evaluated(made, rows, session)
    }
  }

  /** Whether the plan gives the same for the same rows at any time. */
  private def isKept(plan: LogicalPlan): Boolean =
    !plan.containsPattern(CURRENT_LIKE) && !plan.containsPattern(PLAN_EXPRESSION) &&
      plan.collectLeaves().forall(_.isInstanceOf[Placeholder]) &&
      !plan.exists(_.expressions.exists(!_.deterministic))

  private def filled(plan: LogicalPlan, rows: Seq[LocalRelation]): LogicalPlan =
    plan.transformUp { case Placeholder(number, output) => LocalRelation(output, rows(number).data) }

  /** The plan over the rows: by compiled code where there is some; else few rows are evaluated here, as the optimizer does
    * it, and many by tasks. Expressions hold state, so one request at a time evaluates those of a plan. */
  private def evaluated(known: Prepared, rows: Seq[LocalRelation], session: SparkSession): LogicalPlan = {
    val excluded = session.sessionState.conf.optimizerExcludedRules.getOrElse("")
    val isHere = !excluded.contains(ConvertToLocalRelation.ruleName)
    val result = known.synchronized {
      known.compiled(rows).getOrElse {
        val plan = filled(known.plan, rows)
        if (isHere) converted(plan) else plan
      }
    }
    result match {
      case local: LocalRelation => local
      case other => Optimized(other)
    }
  }

  private def converted(plan: LogicalPlan): LogicalPlan = {
    val next = ConvertToLocalRelation(plan)
    if (next.fastEquals(plan)) plan else converted(next)
  }

  private def keyOf(part: Array[Byte], rows: Seq[LocalRelation], session: SparkSession): String = {
    val settings = session.sessionState.conf.getAllConfs.filter(setting => matters(setting._1)).toSeq.sorted
    val digest = MessageDigest.getInstance("SHA-256")
    digest.update(part)
    digest.update((rows.map(_.schema.json) ++ settings).mkString("\n").getBytes("UTF-8"))
    digest.digest().map("%02x".format(_)).mkString
  }

  /** Whether a setting may change a plan that reads no files; Delta sets some about files at a session's first statement. */
  private def matters(setting: String): Boolean =
    setting.startsWith("spark.sql.") && !setting.startsWith("spark.sql.parquet.")

  private def kept(key: String): Option[Prepared] = prepared.synchronized(Option(prepared.get(key)))

  /** Keeps a plan; those that were not asked for the longest make room for it. */
  private def keep(key: String, made: Prepared): Unit = prepared.synchronized {
    Option(prepared.put(key, made)).foreach(before => bytes -= before.bytes)
    bytes += made.bytes
    val oldest = prepared.entrySet().iterator()
    while (bytes > MostBytes && prepared.size > 1 && oldest.hasNext) {
      bytes -= oldest.next().getValue.bytes
      oldest.remove()
    }
  }
}

/** An optimized plan, and the code that is compiled for it once it was asked for often. One request at a time uses it. */
final class Prepared(val plan: LogicalPlan, val bytes: Int) {
  private var requests = 0
  @volatile private var code: Option[RowCode.Rows] = None

  /** The rows that the plan gives, by compiled code; None where there is none. */
  def compiled(rows: Seq[LocalRelation]): Option[LocalRelation] = {
    requests += 1
    if (requests == RowCode.Often + bytes / RowCode.BytesPerRequest) RowCode.inBackground { code = RowCode.of(plan) }
    code.map { run =>
      RowCode.used.incrementAndGet()
      LocalRelation(plan.output, run(rows))
    }
  }
}

/** Makes the strategy and the counts of prepared plans known to the engine. */
class Extensions extends (SparkSessionExtensions => Unit) {
  override def apply(extensions: SparkSessionExtensions): Unit = {
    extensions.injectPlannerStrategy(_ => OptimizedStrategy)
    val name = "lake_prepared_plans"
    val build = (_: Seq[Expression]) => StaticInvoke(PreparedPlans.getClass, StringType, "counts")
    extensions.injectFunction((FunctionIdentifier(name), new ExpressionInfo(PreparedPlans.getClass.getName, name), build))
  }
}
