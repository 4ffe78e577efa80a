package lake.delta

import java.io.FileNotFoundException
import java.nio.charset.StandardCharsets.UTF_8
import java.nio.file.FileAlreadyExistsException
import java.util.{Arrays, Iterator => JavaIterator}

import io.delta.storage.HadoopFileSystemLogStore
import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileSystem, Path}
import org.apache.hadoop.fs.s3a.RemoteFileChangedException

/** Delta's log on S3 for any number of writers: a commit is one conditional put (If-None-Match: *), which the object
  * store refuses where the version is there already.
  */
class ConditionalPutLogStore(conf: Configuration) extends HadoopFileSystemLogStore(conf) {

  /** Writes one commit; FileAlreadyExistsException where another writer was first, and nothing is written then. */
  override def write(path: Path, actions: JavaIterator[String], overwrite: java.lang.Boolean, conf: Configuration): Unit = {
    val text = new StringBuilder
    actions.forEachRemaining(action => text.append(action).append('\n'))
    val commit = text.toString.getBytes(UTF_8)
    val files = path.getFileSystem(conf)
    try put(files, path, commit, overwrite)
    catch {
      // A put whose answer was lost is sent again by the client and then meets itself. Every commit holds an id of its
      // own (commitInfo.txnId), so equal bytes are this very commit.
      case refused: RemoteFileChangedException =>
        if (!isOurs(files, path, commit)) {
          throw new FileAlreadyExistsException(path.toString, null, refused.getMessage)
        }
    }
  }

  override def isPartialWriteVisible(path: Path, conf: Configuration): java.lang.Boolean = false

  private def put(files: FileSystem, path: Path, commit: Array[Byte], overwrite: Boolean): Unit = {
    val builder = files.createFile(path).overwrite(overwrite).recursive()
    if (!overwrite) builder.must("fs.option.create.conditional.overwrite", true)
    val stream = builder.build()
    // The bytes stay in memory until close, so a failure before it leaves nothing behind.
    stream.write(commit)
    stream.close()
  }

  private def isOurs(files: FileSystem, path: Path, commit: Array[Byte]): Boolean =
    try {
      val stream = files.open(path)
      try Arrays.equals(stream.readAllBytes(), commit)
      finally stream.close()
    } catch { case _: FileNotFoundException => false }
}
