package lake.plans

import java.util.concurrent.{Callable, ExecutionException, Executors, ThreadFactory}
import java.util.concurrent.atomic.AtomicLong

import scala.collection.mutable.ArrayBuffer
import scala.util.Try

import org.apache.spark.SparkEnv
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.Expression
import org.apache.spark.sql.catalyst.expressions.BindReferences.{bindReference, bindReferences}
import org.apache.spark.sql.catalyst.expressions.codegen.{GeneratePredicate, GenerateUnsafeProjection}
import org.apache.spark.sql.catalyst.plans.logical.{Filter, LocalRelation, LogicalPlan, Project, UnaryNode}
import org.apache.spark.sql.classic.SparkSession
import org.apache.spark.sql.execution.SQLExecution
import org.apache.spark.sql.internal.SQLConf

/** Compiled code for a prepared plan. What looks at one row at a time, at the plan's top and above its tables, is compiled
  * and runs here; joins and windows between run as one job of the engine.
  */
object RowCode {
  type Rows = Seq[LocalRelation] => Seq[InternalRow]
  private type Step = Seq[InternalRow] => Seq[InternalRow]
  /** None of a row: null, where a filter leaves it out. */
  private type RowStep = InternalRow => InternalRow

  /** Compiling a plan takes a second of one core for each of so many bytes; interpreting it for a small delivery, some
    * tenths of that. */
  val BytesPerRequest = 100000
  val Often = 4
  private val Workers = Runtime.getRuntime.availableProcessors
  private val FewRows = 100
  private val compiler = Executors.newSingleThreadExecutor(daemons("lake-plan-compiler"))
  private val workers = Executors.newFixedThreadPool(Workers, daemons("lake-plan-worker"))

  val used = new AtomicLong

  /** Returns when nothing waits to be compiled. */
  def finished(): Unit = compiler.submit[Unit](() => ()).get

  def inBackground(work: => Unit): Unit = {
    val settings = SQLConf.get.clone()
    compiler.execute(() => SQLConf.withExistingConf(settings)(work))
  }

  /** None where the code is too long to compile. */
  def of(plan: LogicalPlan): Option[Rows] = {
    val (source, steps) = chainOf(plan)
    for (rows <- sourceOf(source); code <- compiled(steps)) yield rows.andThen(inParallel(code, _))
  }

  /** The node below projections and filters, and these from the lowest to the highest. */
  private def chainOf(plan: LogicalPlan, above: List[UnaryNode] = Nil): (LogicalPlan, List[UnaryNode]) = plan match {
    case step: Project => chainOf(step.child, step :: above)
    case step: Filter => chainOf(step.child, step :: above)
    case source => (source, above)
  }

  private def sourceOf(plan: LogicalPlan): Option[Rows] = plan match {
    case Placeholder(number, _) => Some(rows => rows(number).data.toVector)
    case other => onEngine(other)
  }

  /** The plan with what is above its tables compiled, and the rest as a job of the engine. */
  private def onEngine(plan: LogicalPlan): Option[Rows] = {
    val inputs = ArrayBuffer.empty[Option[Rows]]
    val middle = plan.transformDown {
      case lower if chainOf(lower)._1.isInstanceOf[Placeholder] =>
        inputs += of(lower)
        Placeholder(inputs.size - 1, lower.output)
    }
    Option.when(inputs.forall(_.isDefined)) { rows =>
      val made = inputs.map(_.get(rows))
      collected(middle.transformUp { case Placeholder(number, output) => LocalRelation(output, made(number)) })
    }
  }

  private def collected(plan: LogicalPlan): Seq[InternalRow] = {
    val execution = SparkSession.active.sessionState.executePlan(Optimized(plan))
    SQLExecution.withNewExecutionId(execution, Some("prepared"))(execution.executedPlan.executeCollect()).toVector
  }

  /** The steps as one, once for each worker. */
  private def compiled(steps: Seq[UnaryNode]): Option[Seq[Step]] =
    Try(Vector.fill(Workers)(inOnePass(steps.map(code).toArray))).toOption

  /** All steps of a row before the next row: what a step returns is only valid until its next call. */
  private def inOnePass(steps: Array[RowStep]): Step = rows => {
    val made = new ArrayBuffer[InternalRow](rows.size)
    for (first <- rows) {
      var row = first
      var place = 0
      while (row != null && place < steps.length) {
        row = steps(place)(row)
        place += 1
      }
      if (row != null) made += row.copy()
    }
    made.toVector
  }

  private def code(step: UnaryNode): RowStep = step match {
    case Project(columns, child) =>
      GenerateUnsafeProjection.generate(copied(bindReferences[Expression](columns, child.output)))
    case Filter(condition, child) =>
      val holds = GeneratePredicate.generate(copied(Seq(bindReference[Expression](condition, child.output))).head)
      row => if (holds.eval(row)) row else null
  }

  /** Copies that share nothing, as a task gets them: expressions and what they refer to hold state. */
  private def copied(expressions: Seq[Expression]): Seq[Expression] = {
    val serializer = SparkEnv.get.closureSerializer.newInstance()
    serializer.deserialize[Seq[Expression]](serializer.serialize(expressions), getClass.getClassLoader)
  }

  private def inParallel(code: Seq[Step], rows: Seq[InternalRow]): Seq[InternalRow] =
    if (rows.size <= FewRows) code.head(rows)
    else {
      val parts = rows.grouped((rows.size + code.size - 1) / code.size).toVector.zip(code)
      val work = parts.map { case (part, step) => workers.submit(task(step(part))) }
      try work.flatMap(_.get)
      catch { case failed: ExecutionException => throw failed.getCause }
    }

  private def task(work: => Seq[InternalRow]): Callable[Seq[InternalRow]] = {
    val settings = SQLConf.get
    () => SQLConf.withExistingConf(settings)(work)
  }

  private def daemons(name: String): ThreadFactory = { work =>
    val thread = new Thread(work, name)
    thread.setDaemon(true)
    thread
  }
}
