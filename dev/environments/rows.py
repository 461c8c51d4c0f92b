"""The environments that are tried, and how each is made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

#: Of the lock, without torch, which each row adds.
_OPENMMLAB = (
    'mmengine==0.10.7',
    'mmdet==3.3.0',
    'mmpose==1.3.2',
    'mmpretrain==1.2.0',
)
_LITE = ('mmcv-lite==2.1.0', *_OPENMMLAB)
_EXPORT = ('onnx', 'onnxruntime', 'flask')
#: For PyTorch, its oneDNN and MKL, NumPy and its OpenBLAS, and OpenCV.
_NO_AVX512 = dict(
    ATEN_CPU_CAPABILITY='avx2',
    ONEDNN_MAX_CPU_ISA='AVX2',
    MKL_ENABLE_INSTRUCTIONS='AVX2',
    NPY_DISABLE_CPU_FEATURES='AVX512F,AVX512CD,AVX512_SKX,AVX512_CLX,AVX512_CNL,'
    'AVX512_ICL,AVX512_SPR',
    OPENBLAS_CORETYPE='Haswell',
    OPENCV_CPU_DISABLE='AVX512-SKX',
)
_NO_AVX = dict(
    ATEN_CPU_CAPABILITY='default',
    ONEDNN_MAX_CPU_ISA='SSE41',
    MKL_ENABLE_INSTRUCTIONS='SSE4_2',
    NPY_DISABLE_CPU_FEATURES='AVX,F16C,FMA3,AVX2,'
    + _NO_AVX512['NPY_DISABLE_CPU_FEATURES'],
    OPENBLAS_CORETYPE='Nehalem',
    OPENCV_CPU_DISABLE='AVX,FP16,AVX2,AVX512-SKX',
)
_ONEDL = ('onedl-mmengine', 'onedl-mmcv', 'onedl-mmdetection', 'mmpose==1.3.2')


@dataclass(frozen=True)
class Environment:
    """A row: the lock on a Python, or packages that are newer, older, or others."""

    title: str
    python: str
    packages: Sequence[str] = ()
    #: What is compiled there afterwards, which can take an hour.
    compiled: Sequence[str] = ()
    #: Environment variables of the commands and the tests.
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_locked(self) -> bool:
        """Whether ``tools/setup_env.sh`` makes it."""
        return not self.packages


ROWS = {
    'lock-3.10': Environment('the lock, Python 3.10', '3.10'),
    'lock-3.11': Environment('the lock, Python 3.11', '3.11'),
    'lock-3.12': Environment('the lock, Python 3.12', '3.12'),
    'lock-3.13': Environment('the lock, Python 3.13', '3.13'),
    'lock-3.14': Environment('the lock, Python 3.14', '3.14'),
    'no-avx512': Environment(
        'the lock, without AVX-512', '3.11', settings=_NO_AVX512
    ),
    'no-avx': Environment('the lock, without AVX', '3.11', settings=_NO_AVX),
    'oldest': Environment(
        'torch 2.6, the oldest supported',
        '3.10',
        ('torch==2.6.*', 'torchvision==0.21.*', 'numpy<2.3', 'opencv-python<5',
         'setuptools<81', *_LITE, *_EXPORT),
    ),
    'older-mmpose': Environment(
        'MMPose 1.3.1 and MMEngine 0.10.3',
        '3.10',
        ('torch==2.6.*', 'torchvision==0.21.*', 'numpy<2', 'opencv-python<4.12',
         'setuptools<81', 'mmcv-lite==2.1.0', 'mmengine==0.10.3', 'mmdet==3.3.0',
         'mmpose==1.3.1', 'mmpretrain==1.2.0', *_EXPORT),
    ),
    'numpy-1': Environment(
        'NumPy 1',
        '3.11',
        ('torch==2.11.*', 'torchvision==0.26.*', 'numpy<2', 'opencv-python<4.12',
         'setuptools<81', *_LITE, *_EXPORT),
    ),
    'newest': Environment(
        'the newest of everything',
        '3.12',
        ('torch', 'torchvision', 'numpy', 'opencv-python', 'setuptools',
         *_LITE, *_EXPORT),
    ),
    'onedl': Environment(
        "OneDL's MMEngine, MMCV, and MMDetection",
        '3.12',
        ('torch', 'torchvision', 'numpy', 'opencv-python', 'setuptools',
         *_ONEDL, *_EXPORT),
    ),
    'compiled': Environment(
        'MMCV 2.1, compiled for the CPU',
        '3.11',
        ('torch==2.11.*', 'torchvision==0.26.*', 'numpy<2.4', 'opencv-python<5',
         'setuptools<81', 'ninja', 'psutil', *_OPENMMLAB, *_EXPORT),
        compiled=('mmcv==2.1.0',),
    ),
}  # fmt: skip
