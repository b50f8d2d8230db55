"""Train the HunyuanVideo example model: python train_hunyuan.py --output runs/hunyuan"""

from loop import train
from models import Hunyuan

if __name__ == "__main__":
    train(Hunyuan)
