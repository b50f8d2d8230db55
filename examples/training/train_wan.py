"""Train the Wan example model: python train_wan.py --output runs/wan --steps 2500"""

from loop import train
from models import Wan

if __name__ == "__main__":
    train(Wan)
