package lake.texts

import java.time.{LocalDate, YearMonth}

import org.apache.spark.sql.SparkSessionExtensions
import org.apache.spark.sql.catalyst.FunctionIdentifier
import org.apache.spark.sql.catalyst.expressions.{Expression, ExpressionInfo}
import org.apache.spark.sql.catalyst.expressions.objects.StaticInvoke
import org.apache.spark.sql.types.{BooleanType, DataType, DoubleType, IntegerType, LongType, StringType, TimestampType}
import org.apache.spark.unsafe.types.UTF8String

/** Reads texts as delivered, each byte once. The engine's own functions copy a text to find its last character, and
  * parse a number as a Java string.
  */
object PlainTexts {
  private val MostBytes = 30
  private val ExactDigits = 15
  private val Powers: Array[Double] = Array.iterate(1.0, ExactDigits + 1)(_ * 10)

  /** The number of a text of digits with an optional sign and point, which ends with a digit; null for any other text. */
  def plainDouble(text: UTF8String): java.lang.Double = {
    val size = text.numBytes
    if (size == 0 || size > MostBytes) return null
    val start = if (isSign(text.getByte(0))) 1 else 0
    var point = -1
    var digits = 0
    var number = 0L
    var place = start
    while (place < size) {
      val byte = text.getByte(place)
      if (isDigit(byte)) {
        if (digits > 0 || byte != '0') digits += 1
        if (digits <= ExactDigits) number = number * 10 + (byte - '0')
      } else if (byte == '.' && point < 0) point = place
      else return null
      place += 1
    }
    if (place == start || !isDigit(text.getByte(size - 1))) return null
    val decimals = if (point < 0) 0 else size - 1 - point
    // Both are exact as doubles, so their quotient is the nearest double, as if the text had been parsed.
    if (digits <= ExactDigits && decimals <= ExactDigits) {
      val value = number / Powers(decimals)
      if (text.getByte(0) == '-') -value else value
    } else java.lang.Double.valueOf(text.toString)
  }

  /** The number of a text of at most 18 digits with an optional sign; null for any other text. */
  def plainBigint(text: UTF8String): java.lang.Long = {
    val size = text.numBytes
    if (size == 0) return null
    val start = if (isSign(text.getByte(0))) 1 else 0
    if (size == start || size - start > 18) return null
    var number = 0L
    var place = start
    while (place < size) {
      val byte = text.getByte(place)
      if (!isDigit(byte)) return null
      number = number * 10 + (byte - '0')
      place += 1
    }
    if (text.getByte(0) == '-') -number else number
  }

  /** The moment, in microseconds of UTC, of a text of the form yyyy-MM-dd, yyyy-MM-dd HH:mm or yyyy-MM-dd HH:mm:ss with
    * `size` bytes; null for any other text, and for a day or time that does not exist.
    */
  def plainTimestamp(text: UTF8String, size: Int): java.lang.Long = {
    if (text.numBytes != size || !hasMarks(text, size)) return null
    val year = number(text, 0, 4)
    val month = number(text, 5, 2)
    val day = number(text, 8, 2)
    val hour = if (size > 10) number(text, 11, 2) else 0
    val minute = if (size > 10) number(text, 14, 2) else 0
    val second = if (size > 16) number(text, 17, 2) else 0
    val isDay = year > 0 && month >= 1 && month <= 12 && day >= 1 && day <= YearMonth.of(year, month).lengthOfMonth
    val isTime = hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second < 60
    if (!isDay || !isTime) return null
    val seconds = LocalDate.of(year, month, day).toEpochDay * 86400 + hour * 3600 + minute * 60 + second
    seconds * 1000000
  }

  private def hasMarks(text: UTF8String, size: Int): Boolean =
    isAt(text, 4, '-') && isAt(text, 7, '-') &&
      (size == 10 || isAt(text, 10, ' ') && isAt(text, 13, ':') && (size == 16 || isAt(text, 16, ':')))

  private def isAt(text: UTF8String, place: Int, mark: Char): Boolean = text.getByte(place) == mark

  /** The number of so many digits; -1 where there are others. */
  private def number(text: UTF8String, start: Int, length: Int): Int = {
    var value = 0
    var place = start
    while (place < start + length) {
      val byte = text.getByte(place)
      if (!isDigit(byte)) return -1
      value = value * 10 + (byte - '0')
      place += 1
    }
    value
  }

  /** Whether a text may have blanks at its ends or full-width letters: true of an empty one, and where it begins or ends
    * with a control character or a space, or has a blank that is not ASCII, or a character of the full-width block.
    */
  def isOdd(text: UTF8String): Boolean = {
    val size = text.numBytes
    if (size == 0 || isBlank(text.getByte(0)) || isBlank(text.getByte(size - 1))) return true
    var place = 0
    while (place < size - 1) {
      if (text.getByte(place) < 0 && isMarked(text, place, size)) return true
      place += 1
    }
    false
  }

  private def isMarked(text: UTF8String, place: Int, size: Int): Boolean = {
    val second = text.getByte(place + 1) & 0xff
    val third = if (place + 2 < size) text.getByte(place + 2) & 0xff else 0
    text.getByte(place) & 0xff match {
      case 0xc2 => second == 0xa0
      case 0xe2 => second == 0x80 && third >= 0x8b && third <= 0x8d
      case 0xe3 => second == 0x80 && third == 0x80
      case 0xef => second == 0xbc || second == 0xbd || (second == 0xbb && third == 0xbf)
      case _ => false
    }
  }

  private def isSign(byte: Byte): Boolean = byte == '-' || byte == '+'
  private def isDigit(byte: Byte): Boolean = byte >= '0' && byte <= '9'
  private def isBlank(byte: Byte): Boolean = byte >= 0 && byte <= ' '
}

/** Makes the functions known to the engine. */
class Functions extends (SparkSessionExtensions => Unit) {
  override def apply(extensions: SparkSessionExtensions): Unit = {
    val text = Seq(StringType)
    add(extensions, "lake_plain_double", "plainDouble", text, DoubleType, isNullable = true)
    add(extensions, "lake_plain_bigint", "plainBigint", text, LongType, isNullable = true)
    add(extensions, "lake_plain_timestamp", "plainTimestamp", Seq(StringType, IntegerType), TimestampType, isNullable = true)
    add(extensions, "lake_is_odd", "isOdd", text, BooleanType, isNullable = false)
  }

  private def add(
      extensions: SparkSessionExtensions,
      name: String,
      method: String,
      inputs: Seq[DataType],
      kind: DataType,
      isNullable: Boolean): Unit = {
    val build = (arguments: Seq[Expression]) =>
      StaticInvoke(PlainTexts.getClass, kind, method, arguments, inputs, returnNullable = isNullable)
    extensions.injectFunction((FunctionIdentifier(name), new ExpressionInfo(PlainTexts.getClass.getName, name), build))
  }
}
